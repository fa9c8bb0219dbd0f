import Synchronization

/// What has happened already, and must be recorded however the file fares.
extension PoolDatabase {
    /// A transaction for what has happened already: while the file cannot be written, `body` is run again and again, until it
    /// can or the database is closed. Goes on when the calling task is cancelled. Throws what `body` throws, and `StoreError`
    /// for a damaged file and after `close`.
    ///
    /// The world has gone on when `body` is run again: it looks at what it finds, and does nothing when that is no longer what
    /// it was about. Whoever answers a client waits by `answering` for it.
    @discardableResult
    public func persist<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        try await retrying { [self] in try await transaction(body) }
    }

    /// The same for work of several steps, which is begun again whenever it throws that the file cannot be written.
    @discardableResult
    public func retrying<T: Sendable>(_ work: @escaping @Sendable () async throws -> T) async throws -> T {
        // A cancelled task does not sleep.
        try await Task { [self] in
            let began = ContinuousClock.now
            var pause = Self.shortestPause
            while true {
                do {
                    return try await work()
                } catch let error as StoreError {
                    if error.kind != .failed || isClosed.load(ordering: .acquiring) { throw error }
                    complaints.withLock { $0.take(at: .now) }?(error)
                    if let waiter = Self.waiter, ContinuousClock.now - began >= waiter.patience {
                        waiter.giveUp(error)
                    }
                }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }.value
    }

    /// Runs `work` in a task of its own and waits for it; but when the file cannot be written for longer than `patience`, and
    /// `work` has something to persist, throws that `StoreError`: the work goes on by itself.
    @discardableResult
    public func answering<T: Sendable>(
        within patience: Duration = .seconds(5), _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            let answer = Answer(continuation)
            let waiter = Waiter(patience: patience) { answer.give(.failure($0)) }
            Self.$waiter.withValue(waiter) {
                _ = Task {
                    do {
                        answer.give(.success(try await work()))
                    } catch {
                        answer.give(.failure(error))
                    }
                }
            }
        }
    }

    /// `tell` hears, at once and then once a minute, why something that must be recorded is not.
    public func whenLate(_ tell: @escaping @Sendable (StoreError) -> Void) {
        complaints.withLock { $0.tell = tell }
    }

    private static let shortestPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(2)

    /// Whoever waits for the work that runs.
    @TaskLocal private static var waiter: Waiter?

    private struct Waiter: Sendable {
        let patience: Duration
        let giveUp: @Sendable (StoreError) -> Void
    }

    /// Given once.
    private final class Answer<T: Sendable>: Sendable {
        private let continuation: Mutex<CheckedContinuation<T, any Error>?>

        init(_ continuation: CheckedContinuation<T, any Error>) { self.continuation = Mutex(continuation) }

        func give(_ result: Result<T, any Error>) {
            continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }?.resume(with: result)
        }
    }
}

/// When somebody is told that the file cannot be written.
struct LateWrites: Sendable {
    typealias Tell = @Sendable (StoreError) -> Void
    var tell: Tell?
    private var last: ContinuousClock.Instant?

    static let interval = Duration.seconds(60)

    /// Whom to tell of a failure at `now`; nil: nobody, or not again yet.
    mutating func take(at now: ContinuousClock.Instant) -> Tell? {
        if let last, now - last < Self.interval { return nil }
        last = now
        return tell
    }
}
