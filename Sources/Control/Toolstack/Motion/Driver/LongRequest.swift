import CoreTypes
import DatapathControl

/// A request of a data path that may take hours, such as to compare two images: nobody waits for its answer longer than the
/// move is wanted, or than there is time. Who gives up ends the mirror, and with it the request.
enum LongRequest {
    /// The answer did not come in time.
    struct Late: Error {}

    /// What is done at each moment while a request is on its way. A value: one look at a time, and neither the answer nor who
    /// gives up waits for it.
    struct Wait {
        enum Step: Equatable { case goOn, look, late, cancelled }

        static let moment = Duration.milliseconds(50)
        /// Moments from the beginning of a look to that of the next, at least.
        private static let pause = 4

        private var isLooking = true
        private var moments = 0

        /// The first look has begun.
        init() {}

        mutating func pass(isCancelled: Bool, isLate: Bool) -> Step {
            if isCancelled { return .cancelled }
            if isLate { return .late }
            moments += 1
            if isLooking || moments < Self.pause { return .goOn }
            (isLooking, moments) = (true, 0)
            return .look
        }

        mutating func looked() { isLooking = false }
    }

    private enum Event<Value: Sendable, Seen: Sendable>: Sendable {
        case moment
        case looked(Result<Seen, any Error>)
        case answered(Result<Value, any Error>)
    }

    /// Returns when the request is answered. Throws `DatapathClient.Failure`; `CancellationError` within a moment of
    /// `cancellation`, and when who waits is cancelled; `Late` at `deadline`; and what a look throws.
    ///
    /// `look` is called once at least, when the request is on its way, and then every now and then. What it returns takes its
    /// time, and is cancelled and left to itself when the request is over: it changes nothing that counts then. `seen` is called
    /// with what it found, unless that was too late.
    @discardableResult
    static func call<Seen: Sendable>(
        _ request: DatapathRequest, of client: DatapathClient, cancellation: CancellationFlag,
        until deadline: ContinuousClock.Instant? = nil,
        look: () async throws -> @Sendable () async throws -> Seen, seen: (Seen) async throws -> Void
    ) async throws -> DatapathReply {
        try await answer(
            to: { try await client.call(request) }, cancellation: cancellation, until: deadline, look: look, seen: seen)
    }

    /// The same of a question to somebody else, of which nobody knows how long it takes. Whoever gives it up cancels it, and leaves it
    /// to itself: what it does then changes nothing that counts, or is undone by whoever gave it up.
    static func answer<Value: Sendable>(
        cancellation: CancellationFlag, until deadline: ContinuousClock.Instant? = nil,
        to question: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await answer(
            to: question, cancellation: cancellation, until: deadline, look: { return {} }, seen: { (_: Void) in })
    }

    private static func answer<Value: Sendable, Seen: Sendable>(
        to question: @escaping @Sendable () async throws -> Value, cancellation: CancellationFlag,
        until deadline: ContinuousClock.Instant?,
        look: () async throws -> @Sendable () async throws -> Seen, seen: (Seen) async throws -> Void
    ) async throws -> Value {
        let (events, tell) = AsyncStream.makeStream(of: Event<Value, Seen>.self)
        let asking = Task {
            do {
                tell.yield(.answered(.success(try await question())))
            } catch {
                tell.yield(.answered(.failure(error)))
            }
        }
        func begin(_ work: @escaping @Sendable () async throws -> Seen) -> Task<Void, Never> {
            Task {
                do { tell.yield(.looked(.success(try await work()))) } catch { tell.yield(.looked(.failure(error))) }
            }
        }
        defer { asking.cancel() }
        var looking = begin(try await look())
        let moments = Task {
            while true {
                try await Task.sleep(for: Wait.moment)
                tell.yield(.moment)
            }
        }
        defer {
            moments.cancel()
            looking.cancel()
        }
        var wait = Wait()
        for await event in events {
            switch event {
            case .answered(let outcome): return try outcome.get()
            case .looked(let outcome):
                wait.looked()
                try await seen(try outcome.get())
            case .moment:
                let isLate = deadline.map { ContinuousClock.now >= $0 } ?? false
                switch wait.pass(isCancelled: cancellation.isCancelled, isLate: isLate) {
                case .goOn: break
                case .look: looking = begin(try await look())
                case .late: throw Late()
                case .cancelled: throw CancellationError()
                }
            }
        }
        throw CancellationError()
    }

    /// The same where there is nothing to be looked at.
    @discardableResult
    static func call(
        _ request: DatapathRequest, of client: DatapathClient, cancellation: CancellationFlag,
        until deadline: ContinuousClock.Instant? = nil
    ) async throws -> DatapathReply {
        try await answer(cancellation: cancellation, until: deadline) { try await client.call(request) }
    }

    /// `client.status()`, of a data path that may hang.
    static func status(
        of client: DatapathClient, cancellation: CancellationFlag, until deadline: ContinuousClock.Instant?
    ) async throws -> DatapathStatus {
        guard
            case .status(let status) = try await call(.status, of: client, cancellation: cancellation, until: deadline)
        else { throw DatapathClient.Failure(code: "unreachable", message: "the data path gave no status") }
        return status
    }
}
