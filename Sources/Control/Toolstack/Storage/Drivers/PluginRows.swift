import APITypes
import Foundation
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageMotion
import StoragePlugins

/// The rows of SMAPIv3 plugins' SRs and VDIs, which the plugins' host has written.
struct PluginRows: VolumeRows {
    let database: PoolDatabase
    let home: DriverHome

    func untilLeftoversAreGone() async throws { try await home.untilLeftoversAreGone() }
    func untilRepositoryIsBack(_ repository: String) async throws { try await home.untilRepositoryIsBack(repository) }

    func label(repository: String) -> (name: String, description: String) {
        guard let row = database.read({ $0.row(Ref<SR>(repository)) }) else { return ("", "") }
        return (row[SR.nameLabel], row[SR.nameDescription])
    }

    func volumeRows(repository: String) -> [VolumeRow] {
        let sr = Ref<SR>(repository)
        return database.read { $0.rows(VDI.self, where: VDI.sr, is: sr) }.map {
            VolumeRow(
                uuid: $0[VDI.uuid], key: $0[VDI.location], name: $0[VDI.nameLabel],
                description: $0[VDI.nameDescription], isManaged: $0[VDI.managed])
        }
    }

    func begin(_ making: UnfinishedVolume, repository: String) async throws {
        try await database.transaction { tx in try PluginMakings.begin(making, Ref<SR>(repository), in: tx) }
    }

    func end(_ making: UnfinishedVolume) async throws {
        try await database.transaction { tx in PluginMakings.end(making, in: tx) }
    }

    func introduce(
        _ volume: PluginVolume, uuid: String, label: String, description: String, repository: String,
        ending making: UnfinishedVolume?
    ) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            _ = try tx.require(sr)
            if tx.rows(VDI.self, where: VDI.sr, is: sr).contains(where: { $0[VDI.location] == volume.key }) {
                throw StorageError(
                    .volumeExists, "the SR has a VDI for \(volume.key)",
                    apiError: ["LOCATION_NOT_UNIQUE", sr.opaque, volume.key])
            }
            if tx.find(VDI.self, uuid: uuid) != nil {
                throw StorageError(
                    .volumeExists, "another VDI has the uuid \(uuid)", apiError: ["UUID_INVALID", "VDI", uuid])
            }
            let vdi = Self.insert(volume, uuid: uuid, label: label, description: description, sr, in: tx)
            try DriverCallbacks.claim(vdi, in: tx)
            if let making { PluginMakings.end(making, in: tx) }
        }
    }

    private static func insert(
        _ volume: PluginVolume, uuid: String, label: String, description: String, _ sr: Ref<SR>, in tx: Transaction
    ) -> Ref<VDI> {
        let vdi = Fresh.ref(VDI.self)
        let origin = volume.snapshotOf.flatMap { tx.find(VDI.self, uuid: $0) }
        tx.insert(VDI.self, ref: vdi) { row in
            VDIRow.fill(&row, volume.volume(uuid: uuid), sr: sr)
            row[VDI.nameLabel] = label
            row[VDI.nameDescription] = description
            row[VDI.sharable] = volume.isSharable
            row[VDI.type] = VDIType(api: .string(volume.type)) ?? .user
            row[VDI.cbtEnabled] = volume.tracksChangedBlocks
            row[VDI.isASnapshot] = volume.isSnapshot
            if let origin { row[VDI.snapshotOf] = origin.typedRef(VDI.self) }
            if let time = volume.snapshotTime, let seconds = DateTimeText.parse(time) {
                row[VDI.snapshotTime] = APIDate(seconds: seconds)
            }
            row[VDI.smConfig] = volume.smConfig
        }
        return vdi
    }

    func refresh(_ volume: PluginVolume, repository: String) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            for row in tx.rows(VDI.self, where: VDI.sr, is: sr) where row[VDI.location] == volume.key {
                try Self.refresh(row, volume, in: tx)
            }
        }
    }

    private static func refresh(_ row: Row, _ volume: PluginVolume, in tx: Transaction) throws {
        let vdi = row.typedRef(VDI.self)
        try tx.set(vdi, VDI.virtualSize, Int64(clamping: volume.virtualSize))
        try tx.set(vdi, VDI.physicalUtilisation, Int64(clamping: volume.physicalSize))
        if row[VDI.missing] { try tx.set(vdi, VDI.missing, false) }
        if row[VDI.cbtEnabled] != volume.tracksChangedBlocks {
            try tx.set(vdi, VDI.cbtEnabled, volume.tracksChangedBlocks)
        }
    }

    /// Order: disks before their snapshots, which point to them.
    func reconcile(_ volumes: [PluginVolume], repository: String) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            _ = try tx.require(sr)
            let reserved = RepositoryMessages.moving(tx)
            var new: [(vdi: Ref<VDI>, volume: PluginVolume)] = []
            var known = Dictionary(
                tx.rows(VDI.self, where: VDI.sr, is: sr).map { ($0[VDI.location], $0) }, uniquingKeysWith: { $1 })
            for volume in volumes.sorted(by: { !$0.isSnapshot && $1.isSnapshot }) {
                if let row = known.removeValue(forKey: volume.key) {
                    try Self.refresh(row, volume, in: tx)
                    continue
                }
                // A uuid that another VDI has is not this one's: a copy of the storage may have it twice.
                let own = volume.uuid.flatMap { tx.find(VDI.self, uuid: $0) == nil ? $0 : nil }
                let vdi = Self.insert(
                    volume, uuid: own ?? Fresh.uuid(), label: volume.name, description: volume.text, sr, in: tx)
                try DriverCallbacks.claim(vdi, in: tx)
                new.append((vdi, volume))
            }
            try PluginMakings.tell(new, PluginMakings.take(sr, in: tx), sr, in: tx)
            for (_, row) in known where !reserved.contains(row[VDI.uuid]) {
                let vdi = row.typedRef(VDI.self)
                if tx.rows(VBD.self, where: VBD.vdi, is: vdi).isEmpty {
                    tx.delete(vdi)
                } else {
                    try tx.set(vdi, VDI.missing, true)
                }
            }
            let disks = tx.rows(VDI.self, where: VDI.sr, is: sr).filter { $0[VDI.managed] }
            try tx.set(sr, SR.virtualAllocation, StorageContext.sum(disks.map { $0[VDI.virtualSize] }))
        }
    }

    func forget(key: String, repository: String) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            for row in tx.rows(VDI.self, where: VDI.sr, is: sr) where row[VDI.location] == key {
                tx.delete(row.typedRef(VDI.self))
            }
        }
    }

    func store(_ space: RepositorySpace, repository: String) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            guard tx.row(sr) != nil else { return }
            try tx.set(sr, SR.physicalSize, Int64(clamping: space.total))
            try tx.set(sr, SR.physicalUtilisation, Int64(clamping: space.used))
            let disks = tx.rows(VDI.self, where: VDI.sr, is: sr).filter { $0[VDI.managed] }
            try tx.set(sr, SR.virtualAllocation, StorageContext.sum(disks.map { $0[VDI.virtualSize] }))
        }
    }

    func store(deviceConfig: [String: String], repository: String) async throws {
        let sr = Ref<SR>(repository)
        try await database.transaction { tx in
            for pbd in tx.rows(PBD.self, where: { $0[PBD.sr] == sr }) {
                try tx.set(pbd.typedRef(PBD.self), PBD.deviceConfig, deviceConfig)
            }
        }
    }
}
