import BlockIO
import CLinux

/// The commands that change what is below a disk, one at a time. Who comes while one waits for storage that does not answer does not
/// wait with it.
final class CommandTurn: @unchecked Sendable {
    // @unchecked: `isTaken` is touched with `monitor` held.
    /// Nanoseconds for which one that has something to do is waited for.
    static let patience: UInt64 = 5_000_000_000

    private let monitor = Monitor()
    private var isTaken = false

    /// Runs `body` when no other is under way, for which so many nanoseconds are waited at most; nil: for ever. `.busy` then.
    func run<T>(
        within nanoseconds: UInt64? = CommandTurn.patience, _ body: () throws(BlockError) -> T
    ) throws(BlockError) -> T {
        guard take(within: nanoseconds) else {
            throw BlockError(
                .busy, "another command of this disk is under way, or waits for storage that does not answer; ask again"
            )
        }
        defer { give() }
        return try body()
    }

    /// False: it was not had in time. To be followed by `give`.
    func take(within nanoseconds: UInt64? = nil) -> Bool {
        let end = nanoseconds.map { gantry_now() &+ $0 }
        return monitor.locked {
            while isTaken {
                guard let end else {
                    monitor.wait()
                    continue
                }
                guard case let now = gantry_now(), now < end else { return false }
                monitor.wait(nanoseconds: end - now)
            }
            isTaken = true
            return true
        }
    }

    func give() {
        monitor.locked {
            isTaken = false
            monitor.wakeAll()
        }
    }
}
