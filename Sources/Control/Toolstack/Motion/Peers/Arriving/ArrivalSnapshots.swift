import APITypes
import CoreTypes
import Foundation
import PoolDatabase
import StorageInterface
import StorageMotion

/// The snapshots that come with a machine: their rows, with everything that names another object named anew.
enum ArrivalSnapshots {
    /// Throws for what cannot be: an offer of another toolstack.
    static func check(_ offer: MoveOffer, _ reader: any DatabaseReader) throws {
        var seen: Set<String> = []
        for disk in offer.disks {
            if let base = disk.base, !seen.contains(base) {
                throw APIError("INVALID_VALUE", "base", base)
            }
            seen.insert(disk.vdi)
        }
        let images = (offer.snapshots ?? []).compactMap(\.image)
        for image in images {
            // It is this checkpoint's, and nobody else's.
            let drives = offer.drives + (offer.snapshots ?? []).flatMap(\.drives)
            guard offer.disks.contains(where: { $0.vdi == image && $0.isSnapshot }),
                images.count(where: { $0 == image }) == 1, !drives.contains(where: { $0.disk == image })
            else { throw APIError("INVALID_VALUE", "image", image) }
        }
        for snapshot in offer.snapshots ?? [] {
            if offer.isCopy || !Fresh.isUUID(snapshot.uuid) {
                throw APIError("INVALID_VALUE", "snapshot", snapshot.uuid)
            }
            _ = try RowDocument.decode(snapshot.row, VM.className, schema: reader.schema)
            for drive in snapshot.drives { _ = try RowDocument.decode(drive.row, VBD.className, schema: reader.schema) }
            for interface in snapshot.interfaces {
                _ = try reader.require(Ref<Network>(interface.network))
                _ = try RowDocument.decode(interface.row, VIF.className, schema: reader.schema)
            }
        }
    }

    /// The references that they are to have here, by those that they have where they come from.
    static func references(_ offer: MoveOffer) -> [String: String]? {
        guard let snapshots = offer.snapshots, !snapshots.isEmpty else { return nil }
        return Dictionary(snapshots.map { ($0.reference, Fresh.ref(VM.self).opaque) }) { first, _ in first }
    }

    /// The machine is there, and so are all disks.
    static func insert(
        of machine: ArrivingMachine, _ offer: MoveOffer, _ disks: [String: Ref<VDI>], in tx: Transaction
    ) throws {
        let images = Set((offer.snapshots ?? []).compactMap(\.image))
        for disk in offer.disks where disk.isSnapshot {
            guard let vdi = disks[disk.vdi] else { continue }
            if images.contains(disk.vdi) {
                try tx.set(vdi, VDI.type, .suspend)
                continue
            }
            try tx.set(vdi, VDI.isASnapshot, true)
            try tx.set(vdi, VDI.snapshotOf, disk.snapshotOf.flatMap { disks[$0] } ?? .null)
            try tx.set(vdi, VDI.snapshotTime, APIDate(seconds: disk.snapshotTime ?? 0))
        }
        let known = machine.snapshots ?? [:]
        func snapshot(_ reference: String?) -> Ref<VM> { reference.flatMap { known[$0] }.map { Ref($0) } ?? .null }
        var names = known.merging(disks.mapValues(\.opaque)) { first, _ in first }
        if let own = offer.reference { names[own] = machine.vm }
        for offered in offer.snapshots ?? [] {
            let vm = snapshot(offered.reference)
            if vm.isNull || tx.row(vm) != nil { continue }
            let members = try RowDocument.decode(offered.row, VM.className, schema: tx.schema)
            let uuid = ArrivalRows.uuid(offered.uuid, VM.className, true, tx)
            let metrics = Fresh.ref(VMMetrics.self)
            let time = offered.time
            tx.insert(VMMetrics.self, ref: metrics) { row in row[VMMetrics.uuid] = Fresh.uuid() }
            tx.insert(VM.self, ref: vm) { row in
                for member in members { row[field: member.name] = member.value }
                row[VM.uuid] = uuid
                row[VM.powerState] = .halted
                row[VM.metrics] = metrics
                row[VM.domid] = -1
                row[VM.isControlDomain] = false
                row[VM.isASnapshot] = true
                row[VM.snapshotOf] = Ref(machine.vm)
                row[VM.snapshotTime] = APIDate(seconds: time)
                row[VM.parent] = snapshot(offered.parent)
            }
            let text = try tx.require(vm)[VM.snapshotMetadata]
            try tx.set(vm, VM.snapshotMetadata, SnapshotMetadata.renamed(text, names))
            var drives: [String: String] = [:]
            for drive in offered.drives {
                let uuid = ArrivalRows.uuid(drive.uuid, VBD.className, true, tx)
                try ArrivalRows.insert(drive, uuid, of: vm, disks, in: tx)
                drives[drive.uuid] = uuid
            }
            if let image = offered.image.flatMap({ disks[$0] }) {
                try MachineMemory(image: image, guest: offered.guest).give(to: vm, drives: drives, in: tx)
            }
            for interface in offered.interfaces {
                try ArrivalRows.insert(interface, of: vm, in: tx)
            }
        }
        try tx.set(Ref<VM>(machine.vm), VM.parent, snapshot(offer.parent))
    }
}

extension Arrivals {
    /// The disk that a new one is made as a clone of: one of its own family, in the same place and format, which holds
    /// differences.
    func base(of disk: OfferedDisk, _ decision: MoveDecision, _ all: [MoveDecision]) -> String? {
        guard let base = disk.base, let below = all.first(where: { $0.disk.ref == base }),
            below.destination == decision.destination, below.outcome.format == decision.outcome.format,
            decision.outcome.format != .raw, below.outcome.size <= decision.outcome.size,
            let info = try? context.attached(Ref(disk.sr)).manager.info, info.features["VDI_CLONE"] != nil,
            // What third-party drivers clone is theirs to arrange.
            !info.writesRows
        else { return nil }
        return base
    }

    /// A disk is made as a clone of the one that was filled before it. Once it is, another word to do so changes nothing.
    func clone(_ id: String, _ secret: String, _ body: [UInt8]) async throws -> MachineArrival.Answer {
        try enter(id)
        defer { busy.remove(id) }
        guard var record = try record(id, secret) else { throw APIError.uuidInvalid("move", id) }
        guard let asked = try? JSONDecoder().decode(ClonedDisk.self, from: Data(body)),
            let index = record.disks.firstIndex(where: { $0.origin == asked.vdi }),
            let below = record.disks.firstIndex(where: { $0.origin == record.disks[index].base })
        else { throw APIError("OPERATION_NOT_ALLOWED", "there is no such disk in the move \(id)") }
        guard record.state.phase == .receiving else {
            throw APIError("OPERATION_NOT_ALLOWED", "the disks of the move \(id) are not filled any more")
        }
        let (disk, base) = (record.disks[index], record.disks[below])
        if context.database.read({ $0.row(Ref<VDI>(disk.ref)) }) != nil { return record.state.answer }
        guard context.database.read({ $0.row(Ref<VDI>(base.ref)) }) != nil else {
            throw APIError("OPERATION_NOT_ALLOWED", "the disk below it is not there yet")
        }
        // Whoever filled it ends, which makes all of it durable.
        try await context.disks.requireInactive(base.uuid)
        let attached = try context.attached(Ref(disk.sr))
        context.volumesBeingMade.insert(disk.uuid)
        defer { context.volumesBeingMade.remove(disk.uuid) }
        let derived: DerivedVolume
        var volume: Volume
        do {
            derived = try await attached.manager.cloneVolume(
                attached.repository, VolumeID(location: base.location, uuid: base.uuid, ref: base.ref),
                as: NewVolume(uuid: disk.uuid, size: 0, format: ImageFormat(parsing: disk.format), nameLabel: ""))
            volume = derived.volume
            if volume.virtualSize < disk.size {
                volume = try await attached.manager.resizeVolume(
                    attached.repository, VolumeID(location: volume.location, uuid: volume.uuid), size: disk.size)
            }
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        FailurePoint.reached("arrival-cloned")
        record.disks[index].location = volume.location
        record.disks[below].location = derived.origin.location
        let (noted, made, derivation) = (record, volume, derived)
        try await context.database.transaction { tx in
            try VDIRow.refresh(Ref(base.ref), derivation.origin, in: tx)
            if let hidden = derivation.base, tx.find(VDI.self, uuid: hidden.uuid) == nil {
                tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in VDIRow.fill(&row, hidden, sr: attached.ref) }
            }
            try ArrivalRows.insert(noted.disks[index], made, in: tx)
            try OperationAdmission.enter(noted.hold(), in: tx)
            try tx.store(noted)
        }
        FailurePoint.reached("arrival-after-clone")
        await context.refreshSpace(attached)
        return record.state.answer
    }
}
