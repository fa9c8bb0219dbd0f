import CLinux
import Foundation

/// Feeds a running program its input and reads its output until it ends or breaks a limit. Used by one thread.
struct PluginConversation {
    private let pid: Int32
    private let input: Ends
    private let output: Ends
    private let errors: Ends
    private var sending: ArraySlice<UInt8>
    private let limits: PluginLimits
    /// Goes when the program has ended.
    var record: PluginRecord?
    private var said: [UInt8] = []
    private var complained: [UInt8] = []

    init(pid: Int32, input: Ends, output: Ends, errors: Ends, sending: [UInt8], limits: PluginLimits) {
        self.pid = pid
        self.input = input
        self.output = output
        self.errors = errors
        self.sending = sending[...]
        self.limits = limits
    }

    mutating func follow() -> PluginOutcome {
        let end = gantry_pidfd_open(pid)
        defer { if end >= 0 { close(end) } }
        guard end >= 0 else { return finish(killing: .notStarted(-end), end) }
        if sending.isEmpty { input.closeWrite() }
        let deadline = ContinuousClock.now + limits.time
        while true {
            let left = deadline - ContinuousClock.now
            if left <= .zero { return finish(killing: .timedOut, end) }
            let milliseconds =
                min(left.components.seconds, 3600) * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            var watched = [
                pollfd(fd: output.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errors.read, events: Int16(POLLIN), revents: 0),
                pollfd(fd: input.write, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: end, events: Int16(POLLIN), revents: 0),
            ]
            // SAFETY: the array is the call's for its time; descriptors below 0 are skipped by the kernel.
            _ = unsafe poll(&watched, 4, Int32(clamping: milliseconds + 1))
            if watched[2].revents != 0 { send() }
            if watched[0].revents != 0, !receiveOutput() { return finish(killing: .flooded, end) }
            if watched[1].revents != 0 { receiveErrors() }
            if watched[3].revents != 0 {
                // What it wrote lies in the pipes; a child that holds them open is not waited for.
                while Self.isReadable(output.read) {
                    guard receiveOutput() else { return finish(killing: .flooded, end) }
                }
                var rest = 256
                while rest > 0, Self.isReadable(errors.read) {
                    receiveErrors()
                    rest -= 1
                }
                return finish(killing: nil, end)
            }
        }
    }

    /// Kills the program that has just been started.
    func abandon(because error: Int32) -> PluginOutcome {
        let end = gantry_pidfd_open(pid)
        defer { if end >= 0 { close(end) } }
        return finish(killing: .notStarted(error), end)
    }

    /// Reaps the program, after killing its process group where a limit was broken.
    private func finish(killing reason: PluginOutcome.Ending?, _ end: Int32) -> PluginOutcome {
        if reason != nil { kill(-pid, SIGKILL) }
        var status: Int32 = 0
        var entry = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
        // A process in an uninterruptible wait (dead network storage) dies when that ends: somebody else waits for it.
        let isOver = reason == nil || end < 0 ? true : unsafe poll(&entry, 1, 5000) > 0
        if isOver {
            status = Self.reap(pid, record)
        } else {
            let (pid, record) = (pid, record)
            Thread.detachNewThread { _ = Self.reap(pid, record) }
        }
        let signal = status & 0x7f
        let ending = reason ?? (signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal))
        return PluginOutcome(ending: ending, output: said, errors: complained)
    }

    /// Waits for the end; what waitpid says. The record goes while the number is still the program's own.
    private static func reap(_ pid: Int32, _ record: PluginRecord?) -> Int32 {
        var information = unsafe siginfo_t()
        // SAFETY: both calls fill what they are given.
        while unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        record?.remove()
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// A pipe that can be written takes this much without making us wait.
    private static let piece = 4096

    private mutating func send() {
        let part = Array(sending.prefix(Self.piece))
        // SAFETY: writes from the array, at most its count.
        let sent = unsafe part.withUnsafeBytes { unsafe write(input.write, $0.baseAddress, $0.count) }
        if sent > 0 { sending = sending.dropFirst(sent) }
        // A program that does not read its input to the end does not want it.
        if sending.isEmpty || (sent < 0 && errno != EINTR && errno != EAGAIN) { input.closeWrite() }
    }

    /// False when there is too much.
    private mutating func receiveOutput() -> Bool {
        guard let bytes = Self.receive(output.read) else {
            output.closeRead()
            return true
        }
        let fits = bytes.count <= limits.output - said.count
        said += bytes.prefix(limits.output - said.count)
        return fits
    }

    private mutating func receiveErrors() {
        guard let bytes = Self.receive(errors.read) else { return errors.closeRead() }
        complained += bytes.prefix(limits.errors - complained.count)
    }

    /// Nil at the end.
    private static func receive(_ descriptor: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        var count = 0
        // SAFETY: reads into the array, at most its count.
        repeat {
            count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        } while count < 0 && errno == EINTR
        guard count > 0 else { return nil }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static func isReadable(_ descriptor: Int32) -> Bool {
        guard descriptor >= 0 else { return false }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }
}
