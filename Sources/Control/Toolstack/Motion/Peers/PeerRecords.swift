import APITypes
import Foundation
import Guests
import PoolDatabase
import StorageMotion

/// A machine on its way to another pool: one of the toolstack's own records, kind `departure`.
struct DepartingMachine: Codable, Hashable, Sendable {
    struct Disk: Codable, Hashable, Sendable {
        var vdi: String
        var uuid: String
        var sr: String
        var location: String
        /// Somebody else has it too: it stays.
        var stays: Bool
        /// The new disk, once it is made.
        var remote: String?
        /// One of a snapshot of the machine, which nobody writes. Nil, as in records of earlier versions: it is not.
        var isSnapshot: Bool?
        /// The disk before it, by its reference, that it has the most in common with.
        var base: String?
        /// The other side makes it as a clone of that.
        var isClone: Bool?
    }

    /// A disc in a CD drive, which does not go with it.
    struct Disc: Codable, Hashable, Sendable {
        /// VBD.
        var drive: String
        var vdi: String
    }

    static let kind = "departure"

    let id: String
    let secret: String
    let place: PeerPlace
    /// At the other side, as long as that has it.
    let session: String
    let vm: String
    let uuid: String
    let isCopy: Bool
    var disks: [Disk]
    var remoteVM: String?
    /// Of a machine that runs: its `domid`, by which a guest that has ended is told from the one that goes. Nil: it is halted.
    var domain: Int64?
    /// The machine's snapshots, by their references; nil: none.
    var snapshots: [String]?
    var state: MachineDeparture
    /// It stays, and nothing of the move is left of it here: its guest goes on, its mirrors have ended. Nil: not yet.
    var isFree: Bool?
    /// The other side takes no late offer of it as long as the session lasts, which therefore need not end. Nil: it may.
    var keepsSession: Bool?
    /// Whose task is shown again after a restart; nil, as in records of earlier versions: nobody's.
    var call: MoveCall?
    /// Taken out of its drives, and put back when it stays. Nil: none.
    var discs: [Disc]?
    /// Why it stays, as the call is told: code and parameters. Nil: the state says it in words.
    var failureWire: [String]?

    /// How its call ends: the machine at the other side, or why it has stayed; nil while that is open, or somebody is to see to it.
    /// `host`: this one.
    func outcome(at host: Ref<APITypes.Host>) -> Result<String, APIError>? {
        switch state.phase {
        case .delivered, .removed,
            .gone where state.failure == nil:
            return .success(remoteVM ?? "")
        case .abandoned, .retracted, .gone: break
        case .planned, .copying, .preparing, .committed: return nil
        }
        if isToBeFreed { return nil }
        if let code = failureWire?.first { return .failure(APIError(code, Array(failureWire?.dropFirst() ?? []))) }
        return .failure(stayed(at: host))
    }

    /// VM_MIGRATE_FAILED [vm, host, the other side's address, text].
    func stayed(at host: Ref<APITypes.Host>) -> APIError {
        APIError("VM_MIGRATE_FAILED", vm, host.opaque, place.host, state.failure ?? "")
    }

    /// It stays, and somebody is still to see to that. Nobody else may begin anything with it until then.
    var isToBeFreed: Bool { state.isToBeFreed(isFree: isFree ?? false) }

    var isLive: Bool { domain != nil }

    /// With what others have of its disks by now, which stays with them.
    func keepingShared(_ reader: any DatabaseReader) -> DepartingMachine {
        var machine = self
        let owners = Set([vm] + (snapshots ?? []))
        for index in disks.indices where !disks[index].stays {
            let vdi = disks[index].vdi
            machine.disks[index].stays = !reader.rows(VBD.self) {
                $0[VBD.vdi].opaque == vdi && !owners.contains($0[VBD.vm].opaque)
            }.isEmpty
        }
        return machine
    }

    /// The disk of that uuid, while the move has anything to do with it. Nil: it has none, or it is as if nothing had been.
    func hasInHand(_ vdiUUID: String) -> Disk? {
        if state.isDecided, state.isHere, !isToBeFreed { return nil }
        return disks.first { $0.uuid == vdiUUID }
    }

    /// OTHER_OPERATION_IN_PROGRESS [VM, vm, migrate_send, move].
    var inTheWay: APIError {
        APIError(
            "OTHER_OPERATION_IN_PROGRESS", VM.className, vm, VMOperations.migrateSend.rawValue, "OpaqueRef:" + id)
    }

    /// What nobody else may use until the move is over: the disks from its beginning on; the machine, for which the call
    /// stands until then, from the commit on.
    func hold(withMachine: Bool) -> OperationAdmission.Admitted {
        var entries = disks.map {
            OperationClaim.Entry(className: VDI.className, ref: $0.vdi, operation: VDIOperations.blocked.rawValue)
        }
        entries += Set(disks.map(\.sr)).sorted().map {
            OperationClaim.Entry(className: SR.className, ref: $0, operation: StorageOperations.vdiMirror.rawValue)
        }
        entries += ((withMachine ? [vm] : []) + (snapshots ?? [])).map {
            OperationClaim.Entry(className: VM.className, ref: $0, operation: VMOperations.migrateSend.rawValue)
        }
        return OperationAdmission.Admitted(entries: entries, key: "OpaqueRef:" + id)
    }
}

/// A machine on its way from another pool: kind `arrival`.
struct ArrivingMachine: Codable, Hashable, Sendable {
    struct Disk: Codable, Hashable, Sendable {
        /// As it was offered.
        var origin: String
        var uuid: String
        var ref: String
        var sr: String
        var location: String
        var format: String
        var size: UInt64
        var row: String
        /// A disk that nobody may write.
        var isReadOnly: Bool
        /// The disk, as it was offered, that it is made as a clone of, once that is filled; nil: it stands alone.
        var base: String?
        /// Of a snapshot. Nil, as in records of earlier versions: of the machine itself.
        var isSnapshot: Bool?
        /// What a third-party driver is told that the disk is called, until it is one: its row is known by this. Uuid, reference and
        /// location are the driver's once it has made it. Nil: the driver is one of our own.
        var mark: String?

        var isForeign: Bool { mark != nil }
    }

    static let kind = "arrival"

    let id: String
    /// SHA-256 of the secret, in hexadecimal digits.
    let secretDigest: String
    /// Nil: it was cancelled before it was heard of.
    var offer: MoveOffer?
    var vm: String
    /// The machine's uuid here.
    var uuid: String
    var disks: [Disk]
    /// The uuids that the offered drives get here, by their own; nil in records of earlier versions.
    var drives: [String: String]?
    /// The references that the offered snapshots get here, by their own; nil: none.
    var snapshots: [String: String]?
    var state: MachineArrival
    /// Nothing is left of what was made of a refused one.
    var isClean = false
    /// The archive of its numbers has come. Nil: not yet, or never.
    var hasNumbers: Bool?

    var isOpen: Bool { state.isOpen(isClean: isClean) }

    /// A guest comes with it.
    var isLive: Bool { offer?.passport != nil }

    /// Bytes of this host's memory that its guest is to have: none any more once its row says that it runs here.
    var promisedMemory: Int64 {
        guard [.receiving, .prepared].contains(state.phase), let text = offer?.passport,
            let specification = try? GuestDocument.decode(text).specification
        else { return 0 }
        return HostMemory.needed(memoryBytes: specification.memoryBytes, vcpus: specification.vcpus)
    }

    /// Those that a QEMU which waits for the guest has, or is about to have.
    var lent: [Disk] { isLive && state.guest == .waits ? disks.filter { $0.isSnapshot != true } : [] }

    func lends(_ vdiUUID: String) -> Bool { lent.contains { $0.uuid == vdiUUID } }

    var acceptance: MoveAcceptance {
        MoveAcceptance(
            machine: vm,
            disks: disks.map {
                .init(
                    vdi: $0.origin, uuid: $0.uuid, format: $0.format, size: $0.size,
                    isClone: $0.base == nil ? nil : true)
            }, takes: MoveAcceptance.taken)
    }

    func hold() -> OperationAdmission.Admitted {
        var entries = ([vm] + (snapshots ?? [:]).values.sorted()).map {
            OperationClaim.Entry(className: VM.className, ref: $0, operation: VMOperations.migrateSend.rawValue)
        }
        entries += disks.map {
            OperationClaim.Entry(className: VDI.className, ref: $0.ref, operation: VDIOperations.blocked.rawValue)
        }
        entries += Set(disks.map(\.sr)).sorted().map {
            OperationClaim.Entry(className: SR.className, ref: $0, operation: StorageOperations.vdiMirror.rawValue)
        }
        return OperationAdmission.Admitted(entries: entries, key: "OpaqueRef:" + id)
    }
}

extension PoolDatabase {
    func departures() -> [DepartingMachine] { read { $0.departures() } }
    func arrivals() -> [ArrivingMachine] { read { $0.arrivals() } }
}

extension DatabaseReader {
    func departures() -> [DepartingMachine] { peerRecords(DepartingMachine.kind) }
    func arrivals() -> [ArrivingMachine] { peerRecords(ArrivingMachine.kind) }

    /// OTHER_OPERATION_IN_PROGRESS [VM, vm, migrate_send, move] while the machine is on its way to another pool, or is there: the
    /// devices that it goes with are those that it had when it set out.
    func requireStaying(_ vm: Ref<VM>) throws(APIError) {
        let leaving = departures().first { machine in
            machine.vm == vm.opaque && !machine.isCopy && !(machine.state.isDecided && machine.state.isHere)
        }
        if let leaving { throw leaving.inTheWay }
    }

    /// OTHER_OPERATION_IN_PROGRESS [VDI, vdi, blocked, move] while the disk goes with a machine to another pool, or has gone: nobody
    /// else gets what is destroyed here at the end.
    func requireStaying(_ vdi: Row) throws(APIError) {
        let leaving = departures().first { $0.hasInHand(vdi[VDI.uuid])?.stays == false }
        if let leaving {
            throw APIError(
                "OTHER_OPERATION_IN_PROGRESS", VDI.className, vdi.ref, VDIOperations.blocked.rawValue,
                "OpaqueRef:" + leaving.id)
        }
    }

    private func peerRecords<Record: Decodable>(_ kind: String) -> [Record] {
        privateRecords(kind: kind).sorted { $0.key < $1.key }
            .compactMap { try? JSONDecoder().decode(Record.self, from: Data($0.value.utf8)) }
    }
}

extension Transaction {
    func store(_ record: some Encodable, kind: String, id: String) throws {
        setPrivate(kind: kind, key: id, value: String(decoding: try JSONEncoder().encode(record), as: UTF8.self))
    }

    func store(_ record: DepartingMachine) throws {
        if record.state.phase == .gone { return setPrivate(kind: DepartingMachine.kind, key: record.id, value: nil) }
        try store(record, kind: DepartingMachine.kind, id: record.id)
    }

    func store(_ record: ArrivingMachine) throws {
        if record.state.phase == .gone { return setPrivate(kind: ArrivingMachine.kind, key: record.id, value: nil) }
        try store(record, kind: ArrivingMachine.kind, id: record.id)
    }
}
