import CLinux
import Glibc
import NBDProtocol
import Synchronization

/// How long a server may be silent while requests wait for it. A server that hangs on a living host keeps its connections, and
/// nothing else would ever tell its clients; for one that is waited for without end there is no limit.
///
/// A server that answers anything lives: silence counts from the later of a request's end and the last byte that came, and not
/// while a large request goes out piece by piece. But one that answers others, or a byte at a time, and never this request, is
/// lost, too, when it has had twenty times as long.
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
        let limit = patience(for: command)
        return limit > 0 && now > start && now - start >= limit
    }

    /// Whether it has waited too long, whatever else has come since.
    func isNeverAnswered(_ command: UInt16, since start: UInt64, at now: UInt64) -> Bool {
        let limit = patience(for: command)
        return limit > 0 && now > start && now - start >= limit &* 20
    }

    private func patience(for command: UInt16) -> UInt64 {
        let limit = silence.load(ordering: .relaxed)
        return command == NBDCommand.read || command == NBDCommand.write ? limit : limit &* 6
    }

    /// Nanoseconds between two looks at who waits.
    var lookPeriod: UInt64 { min(max(silence.load(ordering: .relaxed) / 8, 1_000_000), 1_000_000_000) }

    /// Makes receives return from time to time, so that somebody can look.
    func watch(_ descriptor: Int32) {
        guard isOn else { return }
        let period = lookPeriod / 1000
        var time = timeval(tv_sec: Int(period / 1_000_000), tv_usec: Int(period % 1_000_000))
        // SAFETY: the option's value is the structure, for the call.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }
}
