import APITypes

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
    /// Of a machine that runs: what a QEMU must have to go on with its guest, JSON (`GuestPassport`). Nil: it is halted.
    var passport: String?
}

/// What a side is told that is to wait for a guest.
struct ExpectedGuest: Codable, Hashable, Sendable {
    /// As in the offer, with the disks that the guest has now.
    var passport: String
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
    /// Bytes that it takes at least.
    var leastBytes: UInt64
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
    }

    /// The reference of the machine-to-be.
    var machine: String
    var disks: [Disk]
    /// It takes machines that run. Nil, as earlier versions have it: it would make halted ones of them.
    var takesRunning: Bool?

    /// NOT_IMPLEMENTED [text] for a machine that runs, of a toolstack that takes halted ones only.
    func requireTaken(isRunning: Bool, by host: String) throws(APIError) {
        if !isRunning || takesRunning == true { return }
        throw APIError(
            "NOT_IMPLEMENTED", "VM.migrate_send of a running VM to \(host), whose toolstack takes halted ones only")
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
