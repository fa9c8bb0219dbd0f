import CLinux
import Glibc
import NBDProtocol
import Synchronization

/// How long a server may be silent while requests wait for it. A server that hangs on a living host keeps its connections, and
/// nothing else would ever tell its clients; for one that is waited for without end there is no limit.
///
/// A server that answers anything lives: silence counts from the later of a request's end and the last byte that came, and not
/// while a large request goes out piece by piece.
final class AnswerLimit: Sendable {
    /// Nanoseconds; 0: none. It can be lifted at any time, and only be set before the connection is made.
    private let silence: Atomic<UInt64>

    init(seconds: Double?) { silence = Atomic(UInt64(max(0, min(seconds ?? 0, 1e6)) * 1e9)) }

    /// Waits are for ever from here on.
    func lift() { silence.store(0, ordering: .relaxed) }

    var isOn: Bool { silence.load(ordering: .relaxed) > 0 }

    var seconds: Double { Double(silence.load(ordering: .relaxed)) / 1e9 }

    /// Whether a request of `command` that was sent at `start` has waited too long. What may have to write out much, or to walk
    /// through much, is given more time.
    func isOver(_ command: UInt16, since start: UInt64, at now: UInt64) -> Bool {
        let limit = silence.load(ordering: .relaxed)
        let isQuick = command == NBDCommand.read || command == NBDCommand.write
        return limit > 0 && now > start && now - start >= (isQuick ? limit : limit &* 6)
    }

    /// Makes receives return from time to time, so that somebody can look.
    func watch(_ descriptor: Int32) {
        guard isOn else { return }
        let period = min(max(silence.load(ordering: .relaxed) / 8000, 1000), 1_000_000)
        var time = timeval(tv_sec: Int(period / 1_000_000), tv_usec: Int(period % 1_000_000))
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }
}
