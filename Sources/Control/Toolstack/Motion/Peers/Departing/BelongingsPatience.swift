import APITypes
import XenAPIClient

/// How long another pool is tried to be reached for what a machine has besides its disks. A value.
///
/// A caller waits behind it for whom the move is over. So there is an end for all questions together, at which nothing is tried
/// again and no question goes on.
struct BelongingsPatience: Sendable {
    /// Of one question.
    static let question = Duration.seconds(15)
    /// Of all that the move's own questions bring.
    static let questions = Duration.seconds(20)
    /// Between tries to reach the other side.
    private static let pauses: [Duration] = [.milliseconds(500), .seconds(2), .seconds(5), .seconds(10)]

    let end: ContinuousClock.Instant

    init(from start: ContinuousClock.Instant, lasting: Duration = questions) { end = start + lasting }

    /// How long a question may take that is asked now.
    func limit(at now: ContinuousClock.Instant) -> Duration {
        min(Self.question, max(.seconds(1), now.duration(to: end)))
    }

    /// After how long it is asked again that has failed so often; nil: not at all.
    func pause(after failures: Int, at now: ContinuousClock.Instant) -> Duration? {
        guard failures > 0, failures <= Self.pauses.count else { return nil }
        let pause = Self.pauses[failures - 1]
        return now + pause < end ? pause : nil
    }

    /// Tries again where the other side cannot be reached for a moment. What is sent may have arrived: it changes nothing the second time.
    /// `question` is told how long it may take.
    func ask<Value: Sendable>(_ question: (Duration) async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            do { return try await question(limit(at: .now)) } catch  where Self.isPassing(error) {
                failures += 1
                guard let pause = pause(after: failures, at: .now) else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Another question would find nobody, either.
    static func isUnreachable(_ error: any Error) -> Bool {
        if error is Late { return true }
        if case .status? = error as? ConnectionError { return false }
        return error is ConnectionError || (error as? APIError)?.code == "CANNOT_CONTACT_HOST"
    }

    /// Also: it does something else with the machine just now.
    private static func isPassing(_ error: any Error) -> Bool {
        if (error as? APIError)?.code == "OTHER_OPERATION_IN_PROGRESS" { return true }
        return isUnreachable(error) && !(error is Late)
    }

    struct Late: Error, CustomStringConvertible {
        let description = "the other pool does not take it in time"
    }

    /// Throws `Late` when `body` takes longer than `limit`; it is cancelled then.
    @discardableResult
    static func within<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw Late()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw Late() }
            return value
        }
    }
}
