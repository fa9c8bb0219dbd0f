import DatapathControl

/// Whether the copy of a disk that nobody writes, of a snapshot's or of a memory, is begun again after it has failed. A value: it
/// is told what became of each try and says what is next.
///
/// A side that went away is tried again for as long as a mirror's destination is, counted from when it was lost; a try that has
/// worked for a while makes the next loss a new one. The process that copies comes back whatever that time is, as data paths do.
/// What another try would not mend ends the copy at once. Nothing is tried for ever: tries that get no farther than one before
/// them are counted.
///
/// Each try writes everything again, over what the one before has left. That is right, as neither the source nor the base changes:
/// of each byte there is but one value that anybody writes. The copy is whole when a process has said so at its end, and never before.
struct CopyRetry: Sendable {
    enum Step: Sendable {
        case again(after: Duration)
        /// With the error that is to be told: of what was lost, the first.
        case over(DatapathClient.Failure)
    }

    /// The code of a process that was killed, or crashed, before it said how it ended.
    static let died = "died"

    /// So many tries in a row may die, or be lost after they have worked, without one that gets farther.
    static let mostInVain = 10
    /// One that has worked for so long has mended what was broken.
    static let lasting = Duration.seconds(10)
    private static let shortestPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(2)

    /// How often it was begun again.
    private(set) var count: UInt64 = 0
    private var first: DatapathClient.Failure?
    private var lostSince: ContinuousClock.Instant?
    private var tries = 0
    private var farthest = 0.0
    private var inVain = 0

    /// After `attempt` has ended with `failure`.
    /// - Parameter patience: for how long a side that is lost is tried again; zero: not at all.
    mutating func failed(
        _ failure: DatapathClient.Failure, at now: ContinuousClock.Instant, after attempt: CopyAttempt,
        patience: Duration
    ) -> Step {
        let hasDied = failure.code == Self.died
        guard hasDied || failure.code == Self.disconnected else { return .over(failure) }
        let hasLasted = attempt.worked >= Self.lasting
        if hasLasted { (first, lostSince, tries) = (nil, nil, 0) }
        if attempt.share > farthest {
            (farthest, inVain) = (attempt.share, 0)
        } else if hasDied || hasLasted {
            inVain += 1
        }
        let told = first ?? failure
        first = told
        var pause = min(Self.longestPause, Self.shortestPause * (1 << min(tries, 10)))
        if !hasDied {
            let since = lostSince ?? now
            lostSince = since
            let left = patience - (now - since)
            if left <= .zero { return .over(told) }
            // The last look is at the end.
            pause = min(pause, left)
        }
        if inVain > Self.mostInVain { return .over(told) }
        tries += 1
        count += 1
        return .again(after: pause)
    }

    /// `BlockError.Code.disconnected`.
    private static let disconnected = "disconnected"
}

/// How one try to copy has fared. A value.
struct CopyAttempt: Sendable {
    /// How far it came, 0 to 1.
    private(set) var share = 0.0
    private var began: ContinuousClock.Instant?
    private var latest: ContinuousClock.Instant?

    /// From when it was first seen to have done something until it was last seen to have done more. A try that hangs works not.
    var worked: Duration {
        guard let began, let latest else { return .zero }
        return latest - began
    }

    mutating func note(_ share: Double, at now: ContinuousClock.Instant) {
        // The process says so that reads what strangers made.
        guard share.isFinite, share > self.share else { return }
        self.share = min(share, 1)
        began = began ?? now
        latest = now
    }
}
