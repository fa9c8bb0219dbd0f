import BlockIO
import StorageInterface
import Synchronization

/// Threads for blocking work on storage: a few for each repository, and neither the cooperative pool's nor Dispatch's.
/// Storage that does not answer, as a server that is gone, holds up its own users and nobody else.
enum RepositoryThreads {
    /// Threads that a repository has at most. What is more waits for one of them.
    static let width = 16
    /// What only looks is answered within this.
    static let look: Duration = .seconds(30)
    /// A server's folder is unmounted within this, with what is still to be written.
    static let unmount: Duration = .seconds(120)
    /// Anything else begins within this.
    static let patience: Duration = .seconds(600)

    /// What is to be done, and how it is told that it will not be.
    private struct Job {
        let number: UInt64
        let body: @Sendable () -> Void
        let refuse: @Sendable (StorageError) -> Void
    }

    private struct Lane {
        var threads = 0
        /// What somebody has stopped waiting for.
        var overdue: Set<UInt64> = []
        var running: Set<UInt64> = []
        var waiting: [Job] = []
    }

    private struct Lanes {
        var next: UInt64 = 0
        var byName: [String: Lane] = [:]
    }

    private static let lanes = Mutex(Lanes())

    /// Runs `body` on a thread of the repository `name`. `limit`: what only looks is given up by then, with
    /// `.repositoryUnavailable`; its thread stays until the storage answers, and until then everything else on the
    /// repository is refused at once. Without a limit, as for what changes something, the end is waited for; only the
    /// beginning is not, beyond `patience`.
    static func run<T: Sendable>(
        on name: String, within limit: Duration? = nil, patience: Duration = patience,
        _ body: @escaping @Sendable () throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let answer = Answer<T>()
        let number = lanes.withLock { lanes in
            lanes.next += 1
            return lanes.next
        }
        let job = Job(number: number) {
            do throws(StorageError) {
                answer.give(.success(try body()))
            } catch {
                answer.give(.failure(error))
            }
        } refuse: {
            answer.give(.failure($0))
        }
        let alarm = Task {
            let time = limit ?? patience
            do { try await Task.sleep(for: time) } catch { return }
            expire(job, on: name, isLook: limit != nil, after: time)
        }
        let result = await withCheckedContinuation { continuation in
            answer.wait(continuation)
            submit(job, on: name)
        }
        alarm.cancel()
        return try result.get()
    }

    private static func unavailable(_ why: String) -> StorageError {
        StorageError(.repositoryUnavailable, "the storage does not answer: \(why); check its server or device")
    }

    private static func submit(_ job: Job, on name: String) {
        let isRefused = lanes.withLock { lanes -> Bool in
            var lane = lanes.byName[name] ?? Lane()
            if !lane.overdue.isEmpty { return true }
            if lane.threads < width, WorkerThread(ifPossible: "storage", { work(on: name, first: job) }) != nil {
                lane.threads += 1
                lane.running.insert(job.number)
            } else if lane.threads > 0 {
                lane.waiting.append(job)
            } else {
                return true
            }
            lanes.byName[name] = lane
            return false
        }
        if isRefused { job.refuse(unavailable("an earlier operation on it has not ended yet")) }
    }

    /// Nobody waits for the job any more, if it has not begun or only looks.
    private static func expire(_ job: Job, on name: String, isLook: Bool, after time: Duration) {
        let isGivenUp = lanes.withLock { lanes -> Bool in
            guard var lane = lanes.byName[name] else { return false }
            defer { lanes.byName[name] = lane }
            if lane.running.contains(job.number) {
                if isLook { lane.overdue.insert(job.number) }
                return isLook
            }
            let count = lane.waiting.count
            lane.waiting.removeAll { $0.number == job.number }
            return lane.waiting.count < count
        }
        if isGivenUp { job.refuse(unavailable("nothing was heard within \(time)")) }
    }

    /// A thread's life: jobs until there are none.
    private static func work(on name: String, first: Job) {
        var next: Job? = first
        while let job = next {
            job.body()
            next = lanes.withLock { lanes -> Job? in
                guard var lane = lanes.byName[name] else { return nil }
                lane.running.remove(job.number)
                lane.overdue.remove(job.number)
                let following = lane.waiting.isEmpty ? nil : lane.waiting.removeFirst()
                if let following { lane.running.insert(following.number) } else { lane.threads -= 1 }
                lanes.byName[name] = lane.threads > 0 ? lane : nil
                return following
            }
        }
    }

    /// Given once; what comes later is dropped.
    private final class Answer<T: Sendable>: Sendable {
        private let continuation = Mutex<CheckedContinuation<Result<T, StorageError>, Never>?>(nil)

        func wait(_ waiting: CheckedContinuation<Result<T, StorageError>, Never>) {
            continuation.withLock { $0 = waiting }
        }

        func give(_ result: Result<T, StorageError>) {
            let waiting = continuation.withLock { state in
                defer { state = nil }
                return state
            }
            waiting?.resume(returning: result)
        }
    }
}
