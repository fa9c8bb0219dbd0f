import APITypes
import StorageMotion

/// What a toolstack tells another one about a machine that is to go there. JSON; members are added and never changed, and
/// what is nil was not known to whoever wrote it.
struct MoveOffer: Codable, Hashable, Sendable {
    /// Names the move on both sides; a uuid.
    var id: String
    /// Its uuid, which it keeps; a copy gets one of its own.
    var uuid: String
    var isCopy: Bool
    /// What depends on processors is not asked.
    var isForced: Bool
    var machine: String
    var drives: [OfferedDrive]
    var interfaces: [OfferedInterface]
    var disks: [OfferedDisk]
    /// Where it comes from, for people: the name of the pool's host.
    var origin: String
    /// Of a machine that runs: what a QEMU must have to go on with its guest, JSON (`GuestPassport`). Nil: it does not run.
    var passport: String?
    /// The machine's own reference where it comes from, and that of the snapshot that it follows on.
    var reference: String?
    var parent: String?
    /// Oldest first; nil: none.
    var snapshots: [OfferedSnapshot]?
    /// Of a suspended machine: which of the drives, by their uuids here, its guest has, and the sums of its memory's image.
    var guest: SuspendedGuest?
    /// Whoever offers it asks again where there is no room yet (`MoveAcceptance.waitsFor`). Nil: it is refused then.
    var mayWait: Bool?

    /// What whoever takes the machine must know of, besides halted machines.
    var needs: [String] {
        (passport == nil ? [] : ["running"]) + (suspendImage == nil ? [] : ["suspended"])
            + (snapshots?.isEmpty == false ? ["snapshots"] : [])
            + (snapshots?.contains { $0.image != nil } == true ? ["checkpoints"] : [])
    }

    /// The disk that is the memory of a suspended machine, as `OfferedDisk.vdi`. Nil: it is not suspended.
    var suspendImage: String? { disks.first { $0.role == DiskToMove.Role.suspendImage.rawValue }?.vdi }
}

/// What a side is told that is to wait for a guest.
struct ExpectedGuest: Codable, Hashable, Sendable {
    /// As in the offer, with the disks that the guest has now.
    var passport: String
    /// Which try it is to hand the guest over, from 2 on: the QEMU of an earlier one is over, whatever it has. Nil: the first.
    var attempt: Int?
}

struct OfferedDrive: Codable, Hashable, Sendable {
    var uuid: String
    var row: String
    /// The disk in it, as `OfferedDisk.vdi`; nil: it is empty, or is there.
    var disk: String?
}

struct OfferedInterface: Codable, Hashable, Sendable {
    var uuid: String
    var row: String
    /// The reference of a network of the other pool.
    var network: String
}

struct OfferedDisk: Codable, Hashable, Sendable {
    /// Its reference where it comes from, by which errors name it.
    var vdi: String
    var row: String
    var role: String
    /// The reference of an SR of the other pool.
    var sr: String
    /// What was written for its format.
    var choice: String
    /// Bytes.
    var size: UInt64
    /// What it is; nil: its driver does not say.
    var format: String?
    /// Bytes of content that it has at least.
    var leastBytes: UInt64
    /// Of a machine's snapshot: the disk that it is one of, as `vdi`; nil: of none that goes along.
    var snapshotOf: String?
    /// When it was taken, seconds of the epoch.
    var snapshotTime: Int64?
    /// The disk, offered before it, that has the most in common with it: to be made a clone of, where the other side can.
    var base: String?

    var isSnapshot: Bool { role == DiskToMove.Role.snapshot.rawValue }
}

/// A snapshot of the offered machine. Its disks are among the offer's.
struct OfferedSnapshot: Codable, Hashable, Sendable {
    var uuid: String
    /// Its reference where it comes from, by which its metadata names it.
    var reference: String
    var row: String
    /// When it was taken, seconds of the epoch.
    var time: Int64
    /// The snapshot that it follows on, by its reference.
    var parent: String?
    var drives: [OfferedDrive]
    var interfaces: [OfferedInterface]
    /// Of a checkpoint: the image of its memory, as `OfferedDisk.vdi`, and what `MoveOffer.guest` is of a suspended machine.
    var image: String?
    var guest: SuspendedGuest?
}

/// A disk that is to be made a clone of the one that was filled before it.
struct ClonedDisk: Codable, Hashable, Sendable {
    /// As in the offer.
    var vdi: String
}

/// What becomes of an offer.
struct MoveAcceptance: Codable, Hashable, Sendable {
    struct Disk: Codable, Hashable, Sendable {
        /// As it was offered.
        var vdi: String
        /// The new disk; empty while nothing is made.
        var uuid: String
        /// Empty: the driver decides.
        var format: String
        var size: UInt64
        /// Whose word the format was, as in a plan.
        var reason: String?
        /// It is made as a clone of its base, when it is asked for, and holds what that holds then.
        var isClone: Bool?
        /// Bytes that its image takes at least, which the other side counts; nil: of an earlier version, or made already.
        var room: UInt64?
    }

    /// The reference of the machine-to-be.
    var machine: String
    var disks: [Disk]
    /// Of `MoveOffer.needs`, what it knows. Nil, as earlier versions have it: it would leave all that behind.
    var takes: [String]?
    /// The uuid of the pool that takes it. Nil: of an earlier version.
    var pool: String?
    /// It would be taken once moves that are under way have given room back in the SR with this uuid; nothing was made, and nothing is
    /// kept for it. Nil: it was, or would be, taken.
    var waitsFor: String?

    static let turns = "turns"
    /// It takes no offer of a move that it was told to forget.
    static let remembers = "remembers"
    /// It lets another QEMU wait for a guest that was to come before (`ExpectedGuest.attempt`).
    static let expectsAgain = "expects-again"
    static let taken = ["running", "suspended", "snapshots", "checkpoints", turns, remembers, expectsAgain]

    /// NOT_IMPLEMENTED [text] for a machine with something that the other toolstack would leave behind.
    func requireTaken(_ offer: MoveOffer, by host: String) throws(APIError) {
        guard let need = offer.needs.first(where: { takes?.contains($0) != true }) else { return }
        let machine = ["snapshots", "checkpoints"].contains(need) ? "a VM with \(need)" : "a \(need) VM"
        throw APIError(
            "NOT_IMPLEMENTED", "VM.migrate_send of \(machine) to \(host), whose toolstack does not take such")
    }
}

/// How a move stands.
struct MoveStanding: Codable, Hashable, Sendable {
    var answer: String
}

/// The answer to every request: a value, or the API's error.
struct PeerReply<Value: Codable & Sendable>: Codable, Sendable {
    var value: Value?
    var error: [String]?
}
