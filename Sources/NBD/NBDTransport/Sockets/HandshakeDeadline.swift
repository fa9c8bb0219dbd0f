import CLinux
import Glibc

/// When a handshake must be over, however little of it a peer sends at a time.
struct HandshakeDeadline {
    private var end: UInt64

    init(seconds: Double) { end = gantry_now() &+ UInt64(max(0, min(seconds, 1e6)) * 1e9) }

    /// What somebody else took is not the peer's time. Nanoseconds.
    mutating func extend(by time: UInt64) { end &+= time }

    /// Bounds the next receive, and each send before the one after it, by what is left. False: nothing is.
    func bound(_ descriptor: Int32) -> Bool {
        let now = gantry_now()
        guard now < end else { return false }
        // At least a microsecond: zero means for ever.
        Self.set(descriptor, microseconds: max(1, (end - now) / 1000))
        return true
    }

    /// Afterwards a peer may be silent for ever.
    static func lift(_ descriptor: Int32) { set(descriptor, microseconds: 0) }

    /// Each send ends after so many seconds.
    static func boundSends(_ descriptor: Int32, seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func set(_ descriptor: Int32, microseconds: UInt64) {
        var time = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
    }
}
