/// Lets many threads ask for a flush at once and runs as few as are needed: a request that waits while one runs shares
/// the next with all others that wait.
@safe
public final class FlushGate: @unchecked Sendable {
    // @unchecked: the counters are touched only with the monitor held.
    private let monitor = Monitor()
    private var started: UInt64 = 0
    private var completed: UInt64 = 0
    private var isRunning = false

    public init() {}

    /// Returns when a run of `body` that began after this call has succeeded, here or in another thread. Throws when
    /// the run in this thread failed. Runs never overlap.
    public func flush(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        monitor.lock()
        let needed = started + 1
        while isRunning && completed < needed { monitor.wait() }
        if completed >= needed {
            monitor.unlock()
            return
        }
        started += 1
        let own = started
        isRunning = true
        monitor.unlock()
        var failure: BlockError?
        do throws(BlockError) { try body() } catch { failure = error }
        monitor.lock()
        if failure == nil { completed = own }
        isRunning = false
        monitor.wakeAll()
        monitor.unlock()
        if let failure { throw failure }
    }

    /// Runs `body` while no flush runs. It is none itself: whoever waits for one waits on.
    public func betweenFlushes<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        monitor.locked {
            while isRunning { monitor.wait() }
            isRunning = true
        }
        defer {
            monitor.locked {
                isRunning = false
                monitor.wakeAll()
            }
        }
        try body()
    }
}
