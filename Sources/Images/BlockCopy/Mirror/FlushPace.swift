/// When one of a mirror's images is flushed, so that another process could go on from there. A value.
///
/// By time: once a second, and at most a tenth of the time, as a flush keeps others from their work. Of an export only a flush
/// vouches for what was copied to it, so that is done by bytes as well: what would be copied again stays within `region`, as
/// long as a flush takes no longer than copying a quarter of that does. Such flushes take a third of the time at most: where they
/// are slow, more is copied between them, and the copy never waits for one.
struct FlushPace {
    /// Bytes that may be copied again when a process or server is killed.
    static let region: UInt64 = 64 << 20
    /// Nanoseconds.
    static let period: UInt64 = 1_000_000_000
    private static let soon: UInt64 = 200_000_000
    /// The first flush comes soon where it has so little to do: a short mirror that was killed does not begin anew.
    private static let little: UInt64 = 32 << 20

    private let started: UInt64
    private let isByBytes: Bool
    /// By time.
    private var next: UInt64
    /// By bytes: when, and at how many copied.
    private var earliest: UInt64
    private var covered: UInt64 = 0

    /// `now`: nanoseconds of any clock, as everywhere here.
    init(at now: UInt64, isByBytes: Bool) {
        (started, self.isByBytes) = (now, isByBytes)
        next = now + Self.soon
        earliest = now
    }

    /// Copied bytes at which a flush is due whatever the time.
    var dueBytes: UInt64 { isByBytes ? covered + Self.region / 2 : .max }

    /// `copied`: bytes in all.
    func isDue(at now: UInt64, copied: UInt64) -> Bool {
        if isDueByBytes(at: now, copied: copied) { return true }
        let isEarly = copied > Self.little && now < started + Self.period
        return now >= next && !isEarly
    }

    func isDueByBytes(at now: UInt64, copied: UInt64) -> Bool { copied >= dueBytes && now >= earliest }

    /// Nanoseconds until it is due by bytes; nil: that is not known.
    func rest(at now: UInt64, copied: UInt64) -> UInt64? {
        copied >= dueBytes ? (now >= earliest ? 0 : earliest - now) : nil
    }

    /// A flush that began at a time, with so many bytes copied, has ended.
    mutating func flushed(from begin: UInt64, to end: UInt64, copied: UInt64) {
        let took = end - begin
        next = end + max(Self.period, took * 10)
        earliest = end + took * 2
        covered = copied
    }
}
