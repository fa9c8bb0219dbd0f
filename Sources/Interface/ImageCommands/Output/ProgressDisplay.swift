import BlockIO
import CoreTypes
import Synchronization
import TerminalUI

/// Shows a counter as a progress bar on standard error, sampled four times a second by a thread of its own.
final class ProgressDisplay: Sendable {
    private let bar: ProgressBar
    private let counter: ProgressCounter
    private let monitor = Monitor()
    private let isOver = Atomic<Bool>(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Starts showing. `label` says what is being done.
    init(_ label: String, counter: ProgressCounter) {
        bar = ProgressBar(label: label)
        self.counter = counter
        let started = WorkerThread("progress") { [self] in
            monitor.locked {
                while !isOver.load(ordering: .relaxed) {
                    bar.update(ProgressReading(done: counter.done, total: counter.total))
                    monitor.wait(nanoseconds: 250_000_000)
                }
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends the line; `completed` shows it full.
    func finish(completed: Bool) {
        monitor.locked {
            isOver.store(true, ordering: .relaxed)
            monitor.wakeAll()
        }
        thread.withLock { $0?.join() }
        bar.update(ProgressReading(done: counter.done, total: counter.total))
        bar.finish(completed: completed)
    }

    /// Runs `body`, showing `counter` meanwhile when `shown`.
    static func during<T>(
        _ label: String, shown: Bool, counter: ProgressCounter, _ body: () throws(BlockError) -> T
    ) throws(BlockError) -> T {
        guard shown else { return try body() }
        let display = ProgressDisplay(label, counter: counter)
        do throws(BlockError) {
            let result = try body()
            display.finish(completed: true)
            return result
        } catch {
            display.finish(completed: false)
            throw error
        }
    }
}
