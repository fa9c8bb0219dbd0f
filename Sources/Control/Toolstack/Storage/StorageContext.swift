import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageManagers
import Synchronization

/// What the storage messages share: the database, this host, the drivers, the data paths.
final class StorageContext: Sendable {
    let database: PoolDatabase
    let host: Ref<APITypes.Host>
    let managers: StorageRegistry
    let disks: DiskActivation
    let logger: Logger
    let volumesBeingMade = VolumesBeingMade()
    /// The records of machines whose disks are being made.
    let machinesBeingMade = VolumesBeingMade()
    /// References of disks whose content is coming in.
    let disksBeingImported = VolumesBeingMade()
    /// Disks that came from other pools and are not copied to any more, of machines that are not here yet.
    let disksArrived = VolumesBeingMade()
    let uses = VolumeUses()
    /// The SRs of calls of SR.create that run.
    let repositoriesBeingMade = VolumesBeingMade()
    /// Whose turn it is to plug or unplug a PBD.
    let turns = RepositoryTurns()
    /// Which moves of disks copy now, and which wait.
    let moves: MoveTurns
    let reclaimGate = ReclaimGate()
    let chainsChanged = ChainChanges()
    /// The toolstack as third-party drivers meet it; nil where there are none.
    let home: DriverHome?

    init(
        database: PoolDatabase, host: Ref<APITypes.Host>, managers: [any StorageManager], disks: DiskActivation,
        home: DriverHome? = nil, logger: Logger
    ) {
        self.home = home
        self.database = database
        self.host = host
        self.managers = StorageRegistry(managers)
        self.disks = disks
        self.logger = logger
        moves = MoveTurns(logger: logger)
    }

    // MARK: Look-ups; each throws the XenAPI error for what is missing

    func row<C: XenClass>(_ ref: Ref<C>) throws(APIError) -> Row {
        guard let row = database.read({ $0.row(ref) }) else { throw .handleInvalid(C.className, ref.opaque) }
        return row
    }

    /// Empty where there is none, as in tests.
    var poolUUID: String { database.read { $0.rows(Pool.self).first?[Pool.uuid] } ?? "" }

    func manager(ofType type: String) throws(APIError) -> any StorageManager {
        guard let manager = managers.manager(ofType: type) else { throw APIError("SR_UNKNOWN_DRIVER", type) }
        return manager
    }

    /// The PBD that connects this host to the SR.
    func pbd(of sr: Ref<SR>) -> Row? {
        database.read { $0.rows(PBD.self) { $0[PBD.sr] == sr && $0[PBD.host] == self.host } }.first
    }

    /// The SR through this host's PBD, which must be plugged: SR_HAS_NO_PBDS / SR_NOT_ATTACHED otherwise. `evenUnplugged`:
    /// to end what was begun while it was plugged; unplugging waits for that.
    func attached(_ sr: Ref<SR>, evenUnplugged: Bool = false) throws(APIError) -> AttachedRepository {
        let row = try row(sr)
        guard let pbd = pbd(of: sr) else { throw APIError("SR_HAS_NO_PBDS", sr.opaque) }
        guard pbd[PBD.currentlyAttached] || evenUnplugged else { throw APIError("SR_NOT_ATTACHED", sr.opaque) }
        return AttachedRepository(
            ref: sr, uuid: row[SR.uuid], manager: try manager(ofType: row[SR.type]),
            repository: repository(row, pbd))
    }

    /// This host has a PBD for the SR, which is not plugged.
    func isUnplugged(_ sr: Ref<SR>) -> Bool { pbd(of: sr).map { !$0[PBD.currentlyAttached] } ?? false }

    /// The declared format of a VDI: its `sm_config:image-format`, which we write at creation and scan.
    func format(of vdi: Row) -> ImageFormat? { Self.declaredFormat(vdi) }

    static func declaredFormat(_ vdi: Row) -> ImageFormat? {
        let config = vdi[VDI.smConfig]
        return (config["image-format"] ?? config["type"]).flatMap { ImageFormat(parsing: $0) }
    }

    /// The SR as its driver is told of it, through one of its PBDs.
    func repository(_ sr: Row, _ pbd: Row) -> StorageRepository {
        StorageRepository(
            uuid: sr[SR.uuid], deviceConfig: pbd[PBD.deviceConfig], ref: sr.ref, smConfig: sr[SR.smConfig],
            isMaster: isMaster(of: sr))
    }

    /// Of an SR that several hosts share, the pool's coordinator is.
    private func isMaster(of sr: Row) -> Bool {
        guard sr[SR.shared] else { return true }
        return database.read { $0.rows(Pool.self) }.first.map { $0[Pool.master] == host } ?? true
    }

    /// The same for its attachment: whether its place may be one that nobody has marked. Only an SR that was introduced, and
    /// has had no place yet, may take such a one.
    func repositoryToAttach(_ sr: Row, _ pbd: Row) -> StorageRepository {
        var repository = repository(sr, pbd)
        repository.mayBeUnmarked = database.read { reader in
            !pbd[PBD.currentlyAttached] && !RepositoryPlaces.isNoted(sr[SR.uuid], reader)
                && reader.rows(VDI.self, where: VDI.sr, is: sr.typedRef(SR.self)).isEmpty
        }
        return repository
    }

    /// The VDI as its driver is told of it.
    static func volume(_ vdi: Row) -> VolumeID {
        VolumeID(
            location: vdi[VDI.location], uuid: vdi[VDI.uuid], ref: vdi.ref, resetsOnBoot: vdi[VDI.onBoot] == .reset,
            allowsCaching: vdi[VDI.allowCaching])
    }

    /// Where the VDI's image is, as a data path opens it. Attaches the volume through its driver.
    func image(of vdi: Row, readOnly: Bool) async throws -> ImageSpecification {
        let uuid = vdi[VDI.uuid]
        guard uses.allowsDatapath(uuid, writing: !readOnly) else { throw APIError("VDI_IN_USE", vdi.ref, "attach") }
        return try await uses.inTurn(uuid) { try await attachForeign(vdi, readOnly: readOnly) }
    }

    func attach(_ vdi: Row, readOnly: Bool) async throws(APIError) -> ImageSpecification {
        let attached = try attached(vdi[VDI.sr])
        do {
            let image = try await attached.image(presentVolume(vdi), readOnly: readOnly)
            if !readOnly { await noteTracking(of: vdi, image, in: attached) }
            return image
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi.typedRef(VDI.self))
        }
    }

    /// Whether the SR's driver is a third party's, which writes the rows and can be asked only while the API is served. One
    /// that is not there is: our own always are.
    func isForeign(_ sr: Ref<SR>) -> Bool {
        guard let type = database.read({ $0.row(sr)?[SR.type] }) else { return false }
        return isForeign(type: type)
    }

    func isForeign(type: String) -> Bool { managers.manager(ofType: type)?.info.writesRows ?? true }

    /// Destroys a volume that nobody uses any more: a half-made one, or one that another has replaced. Fine when it is
    /// gone already. A third-party driver gives it up first, and may have taken its row away.
    func discard(_ volume: VolumeID, in attached: AttachedRepository) async throws {
        guard attached.manager.info.writesRows else {
            // Also when it was attached by a toolstack that is gone; what is not attached has nothing to detach.
            try await attached.release(volume)
            return try await attached.manager.destroyVolume(attached.repository, volume)
        }
        guard let row = database.read({ $0.find(VDI.self, uuid: volume.uuid) }), row[VDI.sr] == attached.ref else {
            return
        }
        let known = Self.volume(row)
        do {
            try await attached.release(known)
        } catch {
            // It may be released already; what still uses it keeps it from being deleted.
            logger.warning("a volume is not released", metadata: ["vdi": "\(volume.uuid)", "error": "\(error)"])
        }
        try await attached.manager.destroyVolume(attached.repository, known)
        try await database.transaction { tx in
            tx.delete(row.typedRef(VDI.self))
            tx.setPrivate(kind: Self.attachedKind, key: volume.uuid, value: nil)
        }
    }

    /// Reads the SR's space and stores it, and what its disks make up together; a failure is logged, never the caller's.
    func refreshSpace(_ attached: AttachedRepository, tellingReclaimer: Bool = true) async {
        if tellingReclaimer { chainsChanged.tell(attached.ref) }
        do {
            let space = try await attached.manager.space(attached.repository)
            if attached.manager.info.writesRows { return }
            try await store(space, of: attached.ref)
        } catch {
            logger.warning("cannot read the space of an SR", metadata: ["sr": "\(attached.uuid)", "error": "\(error)"])
        }
    }
}

extension StorageContext {
    func store(_ space: RepositorySpace, of sr: Ref<SR>) async throws {
        try await database.transaction { tx in try Self.store(space, of: sr, in: tx) }
    }

    static func store(_ space: RepositorySpace, of sr: Ref<SR>, in tx: Transaction) throws(APIError) {
        try tx.set(sr, SR.physicalSize, Int64(clamping: space.total))
        try tx.set(sr, SR.physicalUtilisation, Int64(clamping: space.used))
        let disks = tx.rows(VDI.self, where: VDI.sr, is: sr).filter { $0[VDI.managed] }
        try tx.set(sr, SR.virtualAllocation, sum(disks.map { $0[VDI.virtualSize] }))
    }

    /// An image's header may claim any size: the sum stays a number.
    static func sum(_ sizes: [Int64]) -> Int64 {
        sizes.reduce(0) { sum, size in
            let (next, overflow) = sum.addingReportingOverflow(max(0, size))
            return overflow ? .max : next
        }
    }
}

/// The uuids of the volumes that are made just now: they are there, and no row tells of them yet.
final class VolumesBeingMade: Sendable {
    private let uuids = Mutex<Set<String>>([])

    func insert(_ uuid: String) { _ = uuids.withLock { $0.insert(uuid) } }
    func remove(_ uuid: String) { _ = uuids.withLock { $0.remove(uuid) } }
    var all: Set<String> { uuids.withLock { $0 } }
}

/// An SR that can be worked with on this host.
struct AttachedRepository: Sendable {
    let ref: Ref<SR>
    let uuid: String
    let manager: any StorageManager
    let repository: StorageRepository

    /// Attaches the volume and tells how a data path opens it.
    func image(_ volume: VolumeID, readOnly: Bool) async throws(StorageError) -> ImageSpecification {
        let access = try await manager.attachVolume(repository, volume, writable: !readOnly)
        do {
            try await manager.activateVolume(repository, volume, writable: !readOnly)
        } catch {
            try? await manager.detachVolume(repository, volume)
            throw error
        }
        var image = specification(of: access, readOnly: readOnly)
        if !readOnly {
            image.changeLog = try await manager.changeLog(repository, volume)
        } else if manager is any ChangeLogKeeper {
            // Nobody writes it meanwhile, and a log that cannot be used is no reason not to read the disk.
            image.changeLog = try? await manager.changeLog(repository, volume)
        }
        return image
    }

    private func specification(of access: VolumeAccess, readOnly: Bool) -> ImageSpecification {
        // Drivers of others hand out links, as those of LVM do.
        let refusesLinks = manager.info.writesRows ? nil : true
        return switch access {
        case .image(let path, let format):
            ImageSpecification(path: path, format: format.rawValue, readOnly: readOnly, refusesLinks: refusesLinks)
        case .chain(let image, let parents):
            ImageSpecification(
                path: image.path, format: image.format.rawValue, readOnly: readOnly,
                parents: parents.map { .init(path: $0.path, format: $0.format.rawValue) },
                refusesLinks: refusesLinks)
        case .nbd(let socket, let export):
            ImageSpecification(
                path: NBDAddress(socket: socket, export: export).text, format: ImageSpecification.nbd,
                readOnly: readOnly)
        }
    }

    /// Nobody on this host reads or writes the volume any more.
    func release(_ volume: VolumeID) async throws(StorageError) {
        try await manager.deactivateVolume(repository, volume)
        try await manager.detachVolume(repository, volume)
    }
}

/// A new lower-case UUID and a new reference.
enum Fresh {
    static func uuid() -> String { UUID().uuidString.lowercased() }
    /// Whether the text is a uuid as these are written.
    static func isUUID(_ text: String) -> Bool { UUID(uuidString: text)?.uuidString.lowercased() == text }
    static func ref<C: XenClass>(_ type: C.Type = C.self) -> Ref<C> { Ref("OpaqueRef:" + uuid()) }
}
