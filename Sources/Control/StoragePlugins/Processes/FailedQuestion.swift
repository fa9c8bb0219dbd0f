/// After a question to a third-party program about itself that failed: what was wrong, and when it is asked again. A
/// program that was asked while the host was overloaded, or its files half written, is none the worse.
struct FailedQuestion: Sendable {
    let reason: String
    let retryAt: ContinuousClock.Instant
    /// How long after that the program is asked once more, if it fails then, too.
    private let next: Duration

    private static let longest = Duration.seconds(600)

    /// - Parameters:
    ///   - first: after so long the program is asked again the first time; the time doubles up to ten minutes.
    ///   - previous: the question before this one, about the same files, if it failed as well.
    init(_ reason: String, first: Duration, after previous: FailedQuestion?) {
        self.reason = reason
        let delay = previous?.next ?? first
        retryAt = .now + delay
        next = min(delay * 2, Self.longest)
    }
}
