import BlockIO
import NBDProtocol

/// One connection's threads for requests that may take long (flushes, large zeroings, extent maps), so that reads
/// behind them on the same connection are not held up. Threads start with the first such request. Each connection has
/// its own: a peer that does not read its replies blocks nobody else.
final class SlowLane: @unchecked Sendable {
    // @unchecked: everything mutable is touched with `monitor` held.

    struct Job {
        var request: NBDRequest
        /// The request itself is done; only the flush its FUA flag asks for is left.
        var flushOnly: Bool
    }

    private static let threadLimit = 2
    /// Jobs waiting; beyond it the connection's own thread waits too, and receives nothing meanwhile.
    static let queueLimit = 256

    private let monitor = Monitor()
    private let work: @Sendable (Job, MappedBuffer) -> Void
    private var queue = JobRing<Job>(capacity: SlowLane.queueLimit)
    private var threads: [WorkerThread] = []
    private var idle = 0
    private var finishing = false

    /// `work` does one job, with a buffer of 64 KiB for its reply.
    init(_ work: @escaping @Sendable (Job, MappedBuffer) -> Void) { self.work = work }

    /// `beforeWaiting`: when there is no place for the job, once, before this waits for one.
    func add(_ job: Job, beforeWaiting: () -> Void) {
        monitor.lock()
        if queue.isFull {
            monitor.unlock()
            beforeWaiting()
            monitor.lock()
        }
        while !queue.append(job) { monitor.wait() }
        if idle == 0, threads.count < Self.threadLimit {
            threads.append(WorkerThread("nbd-slow") { [self] in run() })
        }
        monitor.unlock()
        monitor.wakeAll()
    }

    /// Returns when all jobs are done and the threads have ended.
    func finish() {
        monitor.locked { finishing = true }
        monitor.wakeAll()
        let all = monitor.locked { threads }
        for thread in all { thread.join() }
    }

    private func run() {
        guard let buffer = MappedBuffer(capacity: 64 << 10) else { preconditionFailure("out of address space") }
        monitor.lock()
        while true {
            if let job = queue.take() {
                monitor.unlock()
                monitor.wakeAll()
                work(job, buffer)
                monitor.lock()
            } else if finishing {
                break
            } else {
                idle += 1
                monitor.wait()
                idle -= 1
            }
        }
        monitor.unlock()
    }
}
