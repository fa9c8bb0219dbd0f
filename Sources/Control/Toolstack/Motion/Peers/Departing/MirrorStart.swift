import DatapathControl

/// Whether a mirror that could not be begun is begun once more. A value.
///
/// An other side that cannot be reached is tried again for as long as a mirror that is there tries it itself. A data path that ends
/// meanwhile comes back, but not for ever.
struct MirrorStart {
    enum Step: Equatable {
        case again(after: Duration)
        /// There is one already: an earlier request has begun it, whose answer nobody waited for.
        case begun
        case over
    }

    static let mostEnds = 10
    private static let pause = Duration.milliseconds(100)
    private static let longestPause = Duration.milliseconds(500)

    /// It goes on where another was: there may be one.
    private let resumes: Bool
    private var ends = 0
    private var lostSince: ContinuousClock.Instant?

    init(resumes: Bool) { self.resumes = resumes }

    /// - Parameter patience: for how long a side that is lost is tried again; zero: not at all.
    mutating func failed(
        _ failure: DatapathClient.Failure, at now: ContinuousClock.Instant, patience: Duration
    ) -> Step {
        if failure.isUnreachable {
            ends += 1
            return ends > Self.mostEnds ? .over : .again(after: Self.pause)
        }
        if failure.code == "busy", resumes { return .begun }
        guard failure.code == "disconnected" else { return .over }
        let isFirst = lostSince == nil
        let since = lostSince ?? now
        lostSince = since
        let left = patience - (now - since)
        if left <= .zero { return .over }
        // The last try is at the end.
        return .again(after: min(left, isFirst ? Self.pause : Self.longestPause))
    }
}
