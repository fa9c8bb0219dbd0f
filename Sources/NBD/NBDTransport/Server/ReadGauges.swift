/// Tells when reads come from storage rather than from memory, by how long whole batches take. A value.
///
/// Reads are done one after the other where they arrive, which is the fastest way while the page cache has them. When it
/// has not, a batch takes as long as all its reads together. Then storage is told of every read before the first is done, a
/// few are done and answered at a time, and what the client asks for meanwhile is told, too: so storage has as many to work on
/// as the client wants, without a thread for each. That costs each read a little; it ends some batches after reads are
/// answered as only memory can, to see whether it is still needed.
struct ColdReadGauge {
    /// Mean time of a read from which on it is taken to come from storage, in nanoseconds.
    private static let slow: UInt64 = 15_000
    /// The same of reads that storage was told of, which wait for what is left of their time.
    private static let slowAnnounced: UInt64 = 5_000
    /// What is allowed for any other request of a batch.
    private static let other: UInt64 = 50_000
    /// Batches that are announced after one was slow.
    private static let span = 16

    private var left = 0

    var announces: Bool { left > 0 }

    /// A batch with this many reads, of one piece each, and other requests took `nanoseconds`.
    mutating func note(reads: UInt64, bytes: UInt64, others: UInt64, nanoseconds: UInt64) {
        guard reads > 0 else { return }
        let slow = left > 0 ? Self.slowAnnounced : Self.slow
        if left > 0 { left -= 1 }
        // What copying the bytes may take is no sign of storage. One read alone gains nothing by being announced.
        let usual = reads &* slow &+ bytes / 2 &+ others &* Self.other
        if nanoseconds > usual, reads > 1 { left = Self.span }
    }
}

/// Decides whether a thread that has nothing to do looks for the next request for a moment before it sleeps. A value.
///
/// Waking a thread on an idle processor takes as long as several requests. A client that sends one request at a time answers
/// within microseconds; for it alone the looking pays. Each look in vain doubles the number of times that are let pass
/// before the next, so that an idle or slow client costs nothing.
struct SpinGauge {
    /// Nanoseconds of looking at most.
    static let budget: UInt64 = 12_000
    private static let longestPause: UInt32 = 4096

    private var pause: UInt32
    private var left: UInt32

    /// `isAllowed` false: never.
    init(isAllowed: Bool) {
        pause = isAllowed ? 1 : 0
        left = 0
    }

    /// Asked before each sleep.
    mutating func shouldLook() -> Bool {
        if pause == 0 { return false }
        if left == 0 { return true }
        left -= 1
        return false
    }

    mutating func looked(found: Bool) {
        pause = found ? max(pause / 2, 1) : min(pause * 2, Self.longestPause)
        left = found ? 0 : pause
    }
}
