import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import RPCCodec
import StorageInterface
import StorageMotion

/// The destination of storage motion by the toolstacks of other makers, which fill disks by the storage layer's own calls: `/services/SM`.
///
/// What they make is noted before it is made (`ReceivedDisk`), nobody else may use it, and what nobody goes on with is removed: none of
/// these toolstacks comes back for it. They use what they made by these calls and nothing else: a disk of the pool is looked at, and
/// never changed.
public actor ReceivedDisks {
    let context: StorageContext
    let admission: OperationAdmission
    /// One call after the other does something with a disk.
    let turns: DiskTurns
    /// Those that the sweep is about to end.
    var ending: Set<String> = []
    /// Those that the other side has given up while something was being done with them that did not end in time.
    var unwanted: Set<String> = []
    /// What was said last of a disk that cannot be ended yet.
    var complaints: [String: String] = [:]
    /// Connections, by the record.
    var connections: [String: Int] = [:]
    /// When the last of them ended, or a call about the disk came, seconds of the epoch.
    var lastSeen: [String: Int64] = [:]
    /// Whose calls go on with a disk, too, by the record: another session than the one that made it, when the source has begun a new
    /// one. Sessions end with the toolstack, and so does this.
    private var callers: [String: String] = [:]

    init(context: StorageContext, turns: DiskTurns = DiskTurns()) {
        (self.context, self.turns) = (context, turns)
        admission = OperationAdmission(database: context.database, gate: context.reclaimGate)
    }

    // MARK: - Looking

    func records() -> [ReceivedDisk] { context.database.read { $0.receivedDisks() } }

    /// The SR of that uuid, which must be attached here. Sr_not_attached [uuid].
    func repository(_ uuid: String) throws -> AttachedRepository {
        guard let row = context.database.read({ $0.find(SR.self, uuid: uuid) }) else {
            throw StorageLayerError.notAttached(uuid)
        }
        return try context.attached(row.typedRef(SR.self))
    }

    /// The open record that has the place. Vdi_does_not_exist [place]; OPERATION_NOT_ALLOWED for a disk that did not come by these calls.
    func record(at place: String, in attached: AttachedRepository) throws -> ReceivedDisk {
        if let found = records().first(where: { $0.isOpen && $0.sr == attached.ref.opaque && $0.has(place) }) {
            return found
        }
        let isKnown = context.database.read { reader in
            reader.rows(VDI.self, where: VDI.sr, is: attached.ref).contains { $0[VDI.location] == place }
        }
        if isKnown {
            throw StorageLayerError.notAllowed(
                "the disk \(place.prefix(200)) is not one that was made by these calls and is still being filled: use the API for it"
            )
        }
        throw StorageLayerError.noDisk(place)
    }

    /// All disks of an SR as the other side may see them.
    func disks(of attached: AttachedRepository) -> [StorageLayerDisk] {
        context.database.read { reader in
            let records = Dictionary(
                reader.receivedDisks().filter { $0.sr == attached.ref.opaque }.map { ($0.id, $0) }
            ) { first, _ in first }
            var disks: [StorageLayerDisk] = []
            for row in reader.rows(VDI.self, where: VDI.sr, is: attached.ref) where row[VDI.managed] {
                let disk = StorageLayerDisk(row, reader)
                guard let record = records[row[VDI.uuid]] else {
                    disks.append(disk)
                    continue
                }
                if record.isCancelled { continue }
                for place in [record.location, record.parent, record.dummy].compactMap({ $0 }) {
                    disks.append(record.described(disk, at: place))
                }
            }
            return disks
        }
    }

    func disk(at place: String, in attached: AttachedRepository) throws -> StorageLayerDisk {
        guard let disk = disks(of: attached).first(where: { $0.place == place }) else {
            throw StorageLayerError.noDisk(place)
        }
        return disk
    }

    // MARK: - Whose it is

    /// The one that made the disk, and the last other one that went on with it. Nobody takes a disk from its maker by a call.
    func sessions(of record: ReceivedDisk) -> [String] { [record.session] + (callers[record.id].map { [$0] } ?? []) }

    /// Somebody asks for the disk. `session`: goes on with it; nil: only looks.
    func hear(_ record: ReceivedDisk, from session: String?) {
        if let session, session != record.session { callers[record.id] = session }
        lastSeen[record.id] = WallClock.seconds
    }

    func forget(_ id: String) {
        connections[id] = nil
        lastSeen[id] = nil
        callers[id] = nil
        complaints[id] = nil
        unwanted.remove(id)
    }

    // MARK: - One at a time

    /// Runs `body` with the record as it is now, and nothing else done with it meanwhile. Internal_error when what is being done with it
    /// takes too long.
    func working<T: Sendable>(on id: String, _ body: (inout ReceivedDisk) async throws -> T) async throws -> T {
        try await turns.enter(id)
        defer { turns.leave(id) }
        guard var record = records().first(where: { $0.id == id }) else { throw StorageLayerError.noDisk(id) }
        return try await body(&record)
    }

    /// Changes the record in one transaction.
    func change(
        _ record: inout ReceivedDisk, _ body: (inout ReceivedDisk) -> Void
    ) async throws {
        var next = record
        body(&next)
        next.lastCall = WallClock.seconds
        let noted = next
        try await context.database.transaction { tx in try tx.store(noted) }
        record = next
    }

    // MARK: - Making

    /// A new disk, which reads as zeroes. `note` says what it is for, before it is stored.
    func make(
        _ wanted: StorageLayerDisk, choice: String, in attached: AttachedRepository, session: String,
        _ note: (inout ReceivedDisk) -> Void
    ) async throws -> ReceivedDisk {
        if attached.manager.info.writesRows {
            throw StorageLayerError.notAllowed(
                "the SR \(attached.uuid) is of a third party's driver: disks of other makers' toolstacks go to SRs of types "
                    + "that this toolstack has itself")
        }
        try wanted.requireShort()
        guard wanted.virtualSize > 0 else {
            throw StorageLayerError.backend(APIError("INVALID_VALUE", "virtual_size", String(wanted.virtualSize)))
        }
        var (record, room) = try await decide(wanted, choice, attached, session)
        let id = record.id
        try await turns.enter(id)
        defer { turns.leave(id) }
        note(&record)
        while true {
            let (noted, decided) = (record, room)
            do {
                try await context.database.transaction { tx in
                    try OperationClaim.sr(attached.ref, .vdiMirror).check(tx)
                    try decided.require(tx)
                    try tx.store(noted)
                    try OperationAdmission.enter(noted.hold, in: tx)
                }
                break
            } catch is RoomTaken {
                room = try await decide(wanted, choice, attached, session).room
            }
        }
        FailurePoint.reached("received-noted")
        do {
            try await create(&record, wanted, in: attached)
        } catch {
            await giveUp(&record)
            throw error
        }
        FailurePoint.reached("received-made")
        context.logger.notice(
            "a disk comes from another maker's toolstack",
            metadata: ["vdi": "\(record.id)", "mirror": "\((record.mirror ?? "none").prefix(200))"])
        return record
    }

    private func decide(
        _ wanted: StorageLayerDisk, _ choice: String, _ attached: AttachedRepository, _ session: String
    ) async throws -> (record: ReceivedDisk, room: DecidedRoom) {
        let move = DiskToMove(
            ref: wanted.place, source: "another pool", destination: attached.ref.opaque, choice: choice,
            size: UInt64(wanted.virtualSize), format: ImageFormat(parsing: wanted.formatWord))
        let decided: (decisions: [MoveDecision], room: DecidedRoom)
        do {
            decided = try await RoomSurvey(context: context).decide(
                [move], [attached.ref.opaque: try await context.factsWithSpace(attached)], mayWait: false)
        } catch let refusal as MoveRefusal {
            throw ErrorMapping.api(refusal)
        }
        guard let decision = decided.decisions.first, let format = decision.outcome.format else {
            throw StorageLayerError.internalError("no format for the SR \(attached.uuid)")
        }
        let uuid = Fresh.uuid()
        let record = ReceivedDisk(
            id: uuid, ref: Fresh.ref(VDI.self).opaque, sr: attached.ref.opaque,
            // Every driver of ours names a volume by its uuid and format.
            location: "\(uuid).\(format.rawValue)", format: format.rawValue, size: wanted.virtualSize,
            room: decision.room, session: session, lastCall: WallClock.seconds)
        return (record, decided.room)
    }

    private func create(
        _ record: inout ReceivedDisk, _ wanted: StorageLayerDisk, in attached: AttachedRepository
    ) async throws {
        guard let format = ImageFormat(parsing: record.format) else {
            throw StorageLayerError.internalError("no format '\(record.format)'")
        }
        let size: UInt64
        let volume: Volume
        context.volumesBeingMade.insert(record.id)
        let id = record.id
        defer { context.volumesBeingMade.remove(id) }
        do {
            size = try attached.manager.roundedSize(
                UInt64(record.size), format: format, configuration: attached.repository.deviceConfig)
            volume = try await attached.manager.createVolume(
                attached.repository,
                NewVolume(uuid: record.id, size: size, format: format, nameLabel: wanted.nameLabel))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        record.isMade = true
        let noted = record
        try await context.database.transaction { tx in
            tx.insert(VDI.self, ref: Ref<VDI>(noted.ref)) { row in
                VDIRow.fill(&row, volume, sr: attached.ref)
                row[VDI.uuid] = noted.id
                row[VDI.nameLabel] = wanted.nameLabel
                row[VDI.nameDescription] = wanted.nameDescription
                row[VDI.type] = Self.type(wanted.type)
                row[VDI.sharable] = wanted.isSharable
                row[VDI.smConfig]["base_mirror"] = noted.mirror
            }
            try tx.store(noted)
            try OperationAdmission.enter(noted.hold, in: tx)
        }
        await context.refreshSpace(attached)
    }

    /// What a disk is for. Some are the pool's own that made them, and nothing here.
    private static func type(_ word: String) -> VDIType {
        switch VDIType(anyCase: word) {
        case .system?: .system
        case .ephemeral?: .ephemeral
        case .suspend?: .suspend
        case .crashdump?: .crashdump
        default: .user
        }
    }
}
