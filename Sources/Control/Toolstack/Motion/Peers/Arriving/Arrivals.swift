import APITypes
import CLinux
import CoreTypes
import Crypto
import Foundation
import Guests
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// Machines that come from other pools. Their toolstacks say what is to be done; what is done is durable before it is
/// answered, and done once however often it is asked for.
///
/// Nothing of a machine is used here before the other side says so (`MachineArrival`): its disks are in the operation
/// `blocked`, the machine itself in `migrate_send`, also after a restart. Disks are noted before they are made, and written
/// by nobody but the other side, whose copies stay until this side has the machine. So a crash, at any moment and of either
/// side, leaves one whole machine and at most images that a record here names. The guest of one that runs comes with it
/// (`ArrivingGuest`).
public actor Arrivals {
    /// Bytes of a question about a move: a machine's description, with all its disks, is the longest.
    public static let longestBody = 4 << 20

    let context: StorageContext
    private let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    /// Takes the numbers that machines bring along; nil: nobody does.
    let metrics: MetricsService?
    /// Those that something is being done with.
    var busy: Set<String> = []
    /// Moves whose guests were told to run and have not answered.
    var ordered: Set<String> = []
    var forgotten = ForgottenMoves()
    /// By the move: the last try to hand its guest over, where it was not the first.
    var attempts: [String: Int] = [:]

    init(
        context: StorageContext, guests: GuestHost, lifecycle: MachineLifecycle, metrics: MetricsService? = nil
    ) {
        self.context = context
        self.guests = guests
        self.lifecycle = lifecycle
        self.metrics = metrics
        admission = OperationAdmission(database: context.database, gate: context.reclaimGate)
    }

    /// Whether a move is known by this secret.
    public func knows(id: String, secret: String) -> Bool {
        Fresh.isUUID(id) && secret.utf8.count >= 32 && (try? record(id, secret)) != nil
    }

    /// A request of another toolstack about the move `id`: `check`, `offer` and `probe` need a session, which the caller has looked
    /// at; the rest is for whoever knows the move's secret. `isOver`: the session has ended since, while the request came in.
    /// Returns the answer's JSON.
    public func answer(
        _ verb: String, id: String, secret: String, body: [UInt8], hasSession: Bool,
        isOver: @Sendable () -> Bool = { false }
    ) async -> [UInt8] {
        do {
            guard Fresh.isUUID(id), secret.utf8.count >= 32 else { throw APIError("INVALID_VALUE", "move", id) }
            switch verb {
            case "check" where hasSession: return try Self.told(try await decide(try Self.offer(body, id)))
            case "offer" where hasSession:
                return try Self.told(try await take(try Self.offer(body, id), secret, isOver))
            // How long the way takes is for whoever asks to find out.
            case "probe" where hasSession: return try Self.told(MoveStanding(answer: String(body.count)))
            case "expect": return try Self.told(MoveStanding(answer: try await expect(id, secret, body).rawValue))
            case "clone": return try Self.told(MoveStanding(answer: try await clone(id, secret, body).rawValue))
            case "turn": return try Self.told(try await turn(id, secret, body))
            case "messages": return try Self.told(try await takeMessages(id, secret, body))
            case "numbers": return try Self.told(try await takeNumbers(id, secret, body))
            case "prepare", "run", "cancel", "forget", "stand":
                return try Self.told(MoveStanding(answer: try await stand(verb, id, secret, body, hasSession).rawValue))
            default: throw APIError("PERMISSION_DENIED", "'\(verb.prefix(40))' is not known here, or needs a session")
            }
        } catch {
            let wire = ((error as? APIError) ?? APIError(error, task: .null)).wire
            context.logger.info(
                "a machine of another pool: refused",
                metadata: ["move": "\(id.prefix(40))", "verb": "\(verb.prefix(40))", "error": "\(wire)"])
            return (try? Self.told(PeerReply<MoveStanding>(value: nil, error: wire), whole: true)) ?? []
        }
    }

    private static func told<Value: Codable & Sendable>(_ value: Value) throws -> [UInt8] {
        try told(PeerReply(value: value, error: nil), whole: true)
    }

    private static func told(_ reply: some Encodable, whole: Bool) throws -> [UInt8] {
        Array(try JSONEncoder().encode(reply))
    }

    private static func offer(_ body: [UInt8], _ id: String) throws -> MoveOffer {
        guard let offer = try? JSONDecoder().decode(MoveOffer.self, from: Data(body)) else {
            throw APIError.internalError("the offer of a machine is not understood")
        }
        guard offer.id == id, Fresh.isUUID(offer.uuid) else { throw APIError("INVALID_VALUE", "move", offer.id) }
        return offer
    }

    private static func digest(_ secret: String) -> String {
        SHA256.hash(data: Data(secret.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// PERMISSION_DENIED [text] for whoever does not know the secret.
    func record(_ id: String, _ secret: String) throws(APIError) -> ArrivingMachine? {
        guard let record = context.database.arrivals().first(where: { $0.id == id }) else { return nil }
        guard record.secretDigest == Self.digest(secret) else {
            throw APIError("PERMISSION_DENIED", "the move \(id) is another toolstack's")
        }
        return record
    }

    // MARK: - Decisions

    /// What would become of the offer. Nothing is changed. Throws the errors of VM.assert_can_migrate.
    private func decide(_ offer: MoveOffer) async throws -> MoveAcceptance {
        let (decisions, room) = try await decisions(offer)
        try context.database.read { try Self.requireFree(offer, $0) }
        return MoveAcceptance(
            machine: "",
            disks: decisions.map {
                .init(
                    vdi: $0.disk.ref, uuid: "", format: $0.outcome.format?.rawValue ?? "", size: $0.outcome.size,
                    reason: $0.outcome.reason.rawValue, room: $0.room)
            }, takes: MoveAcceptance.taken, waitsFor: room.waitsFor)
    }

    private func decisions(_ offer: MoveOffer) async throws -> (decisions: [MoveDecision], room: DecidedRoom) {
        let host = context.host
        try context.database.read { reader in
            let row = try reader.require(host)
            if !row[APITypes.Host.enabled] { throw APIError("HOST_DISABLED", host.opaque) }
            let members = try RowDocument.decode(offer.machine, VM.className, schema: reader.schema)
            try Self.check(members, on: row, offer)
            if !offer.isCopy, let known = reader.find(VM.self, uuid: offer.uuid) {
                throw APIError("DUPLICATE_VM", known.ref)
            }
            try Self.requireAlone(offer, reader)
            for interface in offer.interfaces {
                _ = try reader.require(Ref<Network>(interface.network))
                _ = try RowDocument.decode(interface.row, VIF.className, schema: reader.schema)
            }
            try ArrivalRows.check(offer.drives, schema: reader.schema)
            guard Set(offer.disks.map(\.vdi)).count == offer.disks.count else {
                throw APIError("INVALID_VALUE", "disks", "one disk is named twice")
            }
            for disk in offer.disks { _ = try RowDocument.decode(disk.row, VDI.className, schema: reader.schema) }
            try ArrivalSnapshots.check(offer, reader)
        }
        var repositories: [String: RepositoryFacts] = [:]
        for sr in Set(offer.disks.map(\.sr)).sorted() {
            repositories[sr] = try await context.factsWithSpace(try context.attached(Ref(sr)))
        }
        let disks = offer.disks.map { disk in
            DiskToMove(
                ref: disk.vdi, role: DiskToMove.Role(rawValue: disk.role) ?? .disk, source: "another pool",
                destination: disk.sr, choice: disk.choice, size: disk.size,
                format: disk.format.flatMap { ImageFormat(parsing: $0) }, leastBytes: disk.leastBytes)
        }
        if let passport = offer.passport {
            try await ArrivingGuest.check(try GuestDocument.decode(passport), offer, context, guests)
        }
        do {
            // Images are made when the offer is taken: there must be room then.
            return try await RoomSurvey(context: context).decide(
                disks, repositories, mayWait: offer.mayWait == true)
        } catch let refusal as MoveRefusal {
            throw ErrorMapping.api(refusal)
        }
    }

    /// HOST_NOT_ENOUGH_PCPUS [vcpus, pcpus], VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION [host, versions, vm,
    /// version].
    private static func check(_ machine: [APIMember], on host: Row, _ offer: MoveOffer) throws {
        func number(_ name: String) -> Int64 {
            machine.first { $0.name == name }.flatMap { Int64(api: $0.value) } ?? 0
        }
        let versions = host[APITypes.Host.virtualHardwarePlatformVersions]
        if !versions.contains(number("hardware_platform_version")) {
            throw APIError(
                "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION", host.ref,
                "[\(versions.map(String.init).joined(separator: "; "))]", offer.uuid,
                String(number("hardware_platform_version")))
        }
        let processors = Int64(host[APITypes.Host.cpuInfo]["cpu_count"] ?? "") ?? .max
        if !offer.isForced, number("VCPUs_max") > processors {
            throw APIError("HOST_NOT_ENOUGH_PCPUS", String(number("VCPUs_max")), String(processors))
        }
    }

    /// OTHER_OPERATION_IN_PROGRESS [move, id, migrate_send, ""] while an earlier move of the machine is not over here: what was
    /// made for that, a QEMU that waits for its guest too, is not this one's.
    private static func requireAlone(_ offer: MoveOffer, _ reader: any DatabaseReader) throws(APIError) {
        if offer.isCopy { return }
        guard let other = reader.arrivals().first(where: { $0.id != offer.id && $0.isOpen && $0.uuid == offer.uuid })
        else { return }
        throw APIError("OTHER_OPERATION_IN_PROGRESS", "move", other.id, "migrate_send", "")
    }

    /// OTHER_OPERATION_IN_PROGRESS [SR, ref, operation, task] for an SR in which nothing can be made now.
    private static func requireFree(_ offer: MoveOffer, _ reader: any DatabaseReader) throws(APIError) {
        for sr in Set(offer.disks.map(\.sr)).sorted() { try OperationClaim.sr(Ref(sr), .vdiMirror).check(reader) }
    }

    // MARK: - Taking an offer

    /// SESSION_INVALID [""] for an offer whose session `isOver`: its `cancel`, which had none, may have been answered. From `enter` on
    /// none is.
    private func take(_ offer: MoveOffer, _ secret: String, _ isOver: () -> Bool) async throws -> MoveAcceptance {
        try enter(offer.id)
        defer { busy.remove(offer.id) }
        if isOver() { throw APIError("SESSION_INVALID", "") }
        if let known = try record(offer.id, secret) {
            // Asked for twice, or too late.
            guard known.state.phase == .receiving, known.offer == offer else {
                throw APIError("OPERATION_NOT_ALLOWED", "the move \(offer.id) is \(known.state.phase.rawValue) already")
            }
            return accepted(known)
        }
        if forgotten.contains(offer.id) {
            throw APIError("OPERATION_NOT_ALLOWED", "the move \(offer.id) is over already")
        }
        while true {
            do { return try await take(offer, secret, try await decisions(offer)) } catch is RoomTaken { continue }
        }
    }

    private func take(
        _ offer: MoveOffer, _ secret: String, _ decided: (decisions: [MoveDecision], room: DecidedRoom)
    ) async throws -> MoveAcceptance {
        let (decisions, room) = decided
        if let repository = room.waitsFor {
            return MoveAcceptance(
                machine: "", disks: [], takes: MoveAcceptance.taken, pool: context.poolUUID, waitsFor: repository)
        }
        let drives = context.database.read { reader in
            offer.drives.map { ($0.uuid, ArrivalRows.uuid($0.uuid, VBD.className, !offer.isCopy, reader)) }
        }
        var record = ArrivingMachine(
            id: offer.id, secretDigest: Self.digest(secret), offer: offer, vm: Fresh.ref(VM.self).opaque,
            uuid: offer.isCopy ? Fresh.uuid() : offer.uuid, disks: [],
            drives: Dictionary(drives) { first, _ in first }, snapshots: ArrivalSnapshots.references(offer),
            state: MachineArrival())
        for (decision, disk) in zip(decisions, offer.disks) {
            let (uuid, isForeign) = (Fresh.uuid(), context.isForeign(Ref(disk.sr)))
            let format = decision.outcome.format?.rawValue ?? ""
            if format.isEmpty, !isForeign { throw APIError.internalError("no format for the SR \(disk.sr)") }
            record.disks.append(
                ArrivingMachine.Disk(
                    origin: disk.vdi, uuid: uuid, ref: Fresh.ref(VDI.self).opaque, sr: disk.sr,
                    // Every driver of ours names a volume by its uuid and format.
                    location: isForeign ? "" : "\(uuid).\(format)", format: format, size: decision.outcome.size,
                    row: disk.row,
                    isReadOnly: try ArrivalRows.isReadOnly(disk, schema: context.database.read { $0.schema }),
                    base: base(of: disk, decision, decisions), isSnapshot: disk.isSnapshot ? true : nil,
                    mark: isForeign ? "Gantry arrival \(uuid)" : nil))
        }
        let noted = record
        try await context.database.transaction { tx in
            try Self.requireFree(offer, tx)
            try Self.requireAlone(offer, tx)
            try room.require(tx)
            try tx.store(noted)
            try OperationAdmission.enter(noted.hold(), in: tx)
        }
        FailurePoint.reached("arrival-after-offer")
        do {
            for disk in noted.disks where disk.base == nil { try await make(disk, &record) }
        } catch {
            _ = record.state.take(.cancel)
            try await give(up: &record)
            throw error
        }
        FailurePoint.reached("arrival-after-create")
        context.logger.notice(
            "a machine comes from another pool",
            metadata: ["move": "\(record.id)", "vm": "\(record.uuid)", "from": "\(offer.origin.prefix(100))"])
        return accepted(record)
    }

    private func accepted(_ record: ArrivingMachine) -> MoveAcceptance {
        var acceptance = record.acceptance
        acceptance.pool = context.poolUUID
        return acceptance
    }

    /// `record`: as it is noted afterwards.
    private func make(_ disk: ArrivingMachine.Disk, _ record: inout ArrivingMachine) async throws {
        let attached = try context.attached(Ref(disk.sr))
        if disk.isForeign { return try await makeForeign(disk, &record, in: attached) }
        let hold = record.hold()
        context.volumesBeingMade.insert(disk.uuid)
        defer { context.volumesBeingMade.remove(disk.uuid) }
        let volume: Volume
        do {
            volume = try await attached.manager.createVolume(
                attached.repository,
                NewVolume(
                    uuid: disk.uuid, size: disk.size, format: ImageFormat(parsing: disk.format), nameLabel: ""))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        try await context.database.transaction { tx in
            try ArrivalRows.insert(disk, volume, in: tx)
            try OperationAdmission.enter(hold, in: tx)
        }
        await context.refreshSpace(attached)
    }

    func enter(_ id: String) throws(APIError) {
        guard busy.insert(id).inserted else {
            throw APIError("OTHER_OPERATION_IN_PROGRESS", "move", id, "migrate_send", "")
        }
    }

    // MARK: - Filling

    /// A socket connected with the export of a disk that is being filled. The caller closes it. Throws PERMISSION_DENIED,
    /// UUID_INVALID, OPERATION_NOT_ALLOWED.
    public func connect(id: String, secret: String, disk uuid: String) async throws -> Int32 {
        guard let record = try record(id, secret), let disk = record.disks.first(where: { $0.uuid == uuid }) else {
            throw APIError.uuidInvalid("VDI", uuid)
        }
        guard record.state.phase == .receiving, !busy.contains(id) else {
            throw APIError("OPERATION_NOT_ALLOWED", "the disks of the move \(id) are not filled any more")
        }
        let handle = try await context.disks.activate(uuid) { [context] in
            // Whoever cancels the move, or completes it, ends data paths; none may begin behind that.
            try await context.image(of: try context.row(Ref<VDI>(disk.ref)), readOnly: false)
        }
        guard let now = try self.record(id, secret), now.state.phase == .receiving, !busy.contains(id) else {
            await context.disks.deactivateIfUnused(uuid)
            throw APIError("OPERATION_NOT_ALLOWED", "the disks of the move \(id) are not filled any more")
        }
        // SAFETY: the C string lives for the call.
        let descriptor = unsafe handle.nbdSocket.withCString { unsafe gantry_unix_connect($0) }
        guard descriptor >= 0 else {
            throw APIError.internalError("the data path of the VDI \(uuid) does not answer")
        }
        return descriptor
    }

    // MARK: - Decisions of the other side

    private func stand(
        _ verb: String, _ id: String, _ secret: String, _ body: [UInt8], _ hasSession: Bool
    ) async throws -> MachineArrival.Answer {
        try enter(id)
        defer { busy.remove(id) }
        guard var record = try record(id, secret) else {
            switch verb {
            // Nothing of it is here; without a session its offer cannot come any more.
            case "cancel" where !hasSession: return .refused
            case "cancel":
                let never = ArrivingMachine(
                    id: id, secretDigest: Self.digest(secret), offer: nil, vm: "", uuid: "", disks: [],
                    state: .neverTaken, isClean: true)
                try await context.database.transaction { tx in try tx.store(never) }
                return .refused
            case "forget": return .forgotten
            default: throw APIError.uuidInvalid("move", id)
            }
        }
        switch verb {
        case "prepare":
            let told = try? JSONDecoder().decode(CompletedMachine.self, from: Data(body))
            return try await prepare(&record, told?.rows)
        case "run": return try await run(&record, .run)
        case "cancel":
            let answer = record.state.take(.cancel)
            if answer == .refused { try await give(up: &record) }
            return answer
        case "forget":
            if record.state.phase == .refused { try await endAll(&record) }
            let answer = record.state.take(.forget)
            let noted = record
            try await context.database.transaction { tx in try tx.store(noted) }
            if answer == .forgotten {
                forgotten.insert(id)
                attempts[id] = nil
            }
            return answer
        default: return record.state.answer
        }
    }

    /// Nobody fills the disks any more: their data paths end, which makes all that was written durable; then the machine's
    /// rows are made, in the transaction that notes it.
    private func prepare(_ given: inout ArrivingMachine, _ rows: LateRows?) async throws -> MachineArrival.Answer {
        guard given.state.phase == .receiving else { return given.state.take(.prepare) }
        var record = given
        if let rows, let offer = record.offer { record.offer = try rows.put(into: offer) }
        FailurePoint.reached("arrival-before-prepare")
        var volumes: [(Ref<VDI>, Volume)] = []
        if record.isLive { try await guest(record).prepare() }
        for disk in record.disks {
            // Those that a guest has go on.
            try await context.disks.requireInactive(disk.uuid)
            let attached = try context.attached(Ref(disk.sr))
            do {
                let volume = try await attached.manager.stat(
                    attached.repository, VolumeID(location: disk.location, uuid: disk.uuid, ref: disk.ref))
                // A third party's driver has written what there is to say of it.
                if !disk.isForeign { volumes.append((Ref(disk.ref), volume)) }
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref)
            }
        }
        let answer = record.state.take(.prepare)
        let (noted, measured, host) = (record, volumes, context.host)
        try await context.database.transaction { tx in
            for (vdi, volume) in measured { try VDIRow.refresh(vdi, volume, in: tx) }
            if rows != nil { try ArrivalRows.refresh(noted, in: tx) }
            try ArrivalRows.insert(noted, host: host, in: tx)
            try OperationAdmission.enter(noted.hold(), in: tx)
            try tx.store(noted)
        }
        given = record
        await endTurns(noted)
        for sr in Set(noted.disks.filter { $0.base != nil }.map(\.sr)) {
            // The hidden volumes that the disks and their snapshots share have no rows yet.
            guard let attached = try? context.attached(Ref(sr)) else { continue }
            await context.refreshChains(of: noted.disks.filter { $0.sr == sr }.map { Ref($0.ref) }, in: attached)
        }
        FailurePoint.reached("arrival-after-prepare")
        return answer
    }

    /// From here on the machine is this side's.
    func run(_ record: inout ArrivingMachine, _ event: MachineArrival.Event) async throws
        -> MachineArrival.Answer
    {
        if record.state.phase == .running, record.isLive { return try await begin(&record) }
        guard record.state.phase == .prepared else { return record.state.take(event) }
        FailurePoint.reached("arrival-before-run")
        var hasGuest = false
        if record.isLive { hasGuest = await guest(record).isReady() }
        if record.isLive, event == .run, MachineArrival.event(toRun: hasGuest) == .cancel {
            context.logger.error(
                "a machine of another pool stays there: the QEMU that had its memory is gone",
                metadata: ["move": "\(record.id)", "vm": "\(record.uuid)"])
            let answer = record.state.take(.cancel)
            try await give(up: &record)
            return answer
        }
        let answer = record.state.take(event)
        let noted = record
        if hasGuest {
            try await guest(record).noteRunning { tx in try tx.store(noted) }
            FailurePoint.reached("arrival-noted-running")
            return try await begin(&record)
        }
        try await context.database.transaction { tx in try tx.store(noted) }
        await settleHere(record)
        return answer
    }

    /// Lets the guest of a machine run that is this side's. As long as it does not, the other side is not told that it does, and
    /// keeps what it has of it: all.
    func begin(_ record: inout ArrivingMachine) async throws -> MachineArrival.Answer {
        switch await guest(record).begin() {
        case .isOver: break
        case .isOrdered:
            ordered.insert(record.id)
            return .unfinished
        case .isRefused:
            var next = record
            if next.state.take(.neverRan) == .refused {
                context.logger.error(
                    "a machine of another pool stays there: QEMU does not let its guest run",
                    metadata: ["move": "\(record.id)", "vm": "\(record.uuid)"])
                record = next
                let noted = next
                try await context.database.transaction { tx in try tx.store(noted) }
                await guest(record).noteRefused()
                try await give(up: &record)
                return .refused
            }
            await guest(record).noteRefused()
        }
        await settleHere(record)
        return record.state.answer
    }

    /// Neither the machine nor its SRs are held any longer.
    func release(_ record: ArrivingMachine) async {
        await admission.end(record.hold())
        for sr in Set(record.disks.map(\.sr)) {
            if let attached = try? context.attached(Ref(sr)) { await context.refreshSpace(attached) }
        }
    }

    private func settleHere(_ record: ArrivingMachine) async {
        ordered.remove(record.id)
        await release(record)
        context.logger.notice(
            "a machine of another pool is here", metadata: ["move": "\(record.id)", "vm": "\(record.uuid)"])
        FailurePoint.reached("arrival-after-run")
    }

    func give(up record: inout ArrivingMachine) async throws {
        let noted = record
        try await context.database.transaction { tx in try tx.store(noted) }
        FailurePoint.reached("arrival-after-cancel")
        await endTurns(noted)
        do {
            try await clean(&record)
        } catch {
            context.logger.error(
                "what was made of a machine of another pool cannot be removed yet; it is tried again",
                metadata: ["move": "\(record.id)", "error": "\(error)"])
        }
    }

    /// Nothing of a refused machine is left here, neither disks nor the QEMU that waits for its guest: nobody asks for them any more
    /// once the move is forgotten.
    func endAll(_ record: inout ArrivingMachine) async throws {
        try await clean(&record)
        if guest(record).isLeftOver, await !guest(record).noteRefused() { throw Self.leftOver(record.id) }
    }

    /// Removes what was made of a refused machine.
    func clean(_ record: inout ArrivingMachine) async throws {
        if record.isClean { return }
        // It has the disks.
        if record.isLive, await !guest(record).noteRefused() { throw Self.leftOver(record.id) }
        // First what stands on others.
        for disk in record.disks.reversed() {
            try await context.disks.requireInactive(disk.uuid)
            // An SR that was forgotten takes what is in it with it.
            guard context.database.read({ $0.row(Ref<SR>(disk.sr)) }) != nil else { continue }
            let attached = try context.attached(Ref(disk.sr))
            try await context.discard(
                VolumeID(location: disk.location, uuid: disk.uuid, ref: disk.ref), in: attached)
        }
        // What the disks shared goes with the last of them.
        for sr in Set(record.disks.filter { $0.base != nil }.map(\.sr)) {
            if let attached = try? context.attached(Ref(sr)) { await context.forgetGoneNodes(attached) }
        }
        record.isClean = true
        let noted = record
        try await context.database.transaction { tx in
            try ArrivalRows.remove(noted, in: tx)
            try tx.store(noted)
        }
        await release(record)
    }

    /// OPERATION_NOT_ALLOWED [text].
    static func leftOver(_ id: String) -> APIError {
        APIError(
            "OPERATION_NOT_ALLOWED",
            "the QEMU that waits for the guest of the move \(id) does not end: it is told again; wait, or kill it")
    }

    // MARK: - After a restart

    /// Before calls are taken: what was held is held again. So is what was refused and is still to be removed: the other side
    /// is free to run the machine.
    func resume() async {
        for record in context.database.arrivals()
        where [.receiving, .prepared].contains(record.state.phase)
            || record.state.phase == .refused && !record.isClean
        {
            try? await context.database.transaction { tx in try OperationAdmission.enter(record.hold(), in: tx) }
        }
        // One that was told to run and had not been when the toolstack ended.
        for record in context.database.arrivals() where record.isLive && record.state.guest == .runs {
            if guest(record).isToBegin {
                try? await context.database.transaction { tx in try OperationAdmission.enter(record.hold(), in: tx) }
                await beginAgain(record.id)
            } else {
                _ = await guest(record).begin()
            }
        }
        // One that its kernel does not let go may take a minute each: nobody's calls wait for that.
        for record in context.database.arrivals() where guest(record).isLeftOver {
            Task { await dismissAgain(record.id) }
        }
    }
}
