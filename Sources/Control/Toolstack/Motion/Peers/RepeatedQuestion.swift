import XenAPIClient

/// Whether the other side of a move is asked once more when the connection broke under a question: it may have arrived, have
/// been answered, or still be worked at. What changes nothing the second time is, so that a link that was cut for a moment
/// ends no move; what may not be done twice is not.
struct RepeatedQuestion {
    /// `Arrivals` answers each of these a second time as the first, and changes nothing.
    private static let verbs: Set<String> = ["check", "clone", "expect", "stand", "messages", "numbers"]
    private static let most = 3
    static let pause: Duration = .milliseconds(200)

    private let isRepeatable: Bool
    private let deadline: ContinuousClock.Instant
    private var losses = 0

    /// `deadline`: when the answer must be there, however often it is asked for.
    init(_ verb: String, until deadline: ContinuousClock.Instant) {
        isRepeatable = Self.verbs.contains(verb)
        self.deadline = deadline
    }

    /// How long the next answer may take.
    func limit(at now: ContinuousClock.Instant) -> Duration { max(.zero, now.duration(to: deadline)) }

    /// After a failure of the connection: whether to ask again.
    mutating func isRepeated(after error: ConnectionError, at now: ContinuousClock.Instant) -> Bool {
        guard case .lost = error, isRepeatable, losses < Self.most, limit(at: now) > Self.pause else { return false }
        losses += 1
        return true
    }

    /// After an error as the other side reports it: whether that is but the first question, which it still works at.
    func isRepeated(after reply: [String], at now: ContinuousClock.Instant) -> Bool {
        losses > 0 && reply.starts(with: ["OTHER_OPERATION_IN_PROGRESS", "move"]) && limit(at: now) > Self.pause
    }
}
