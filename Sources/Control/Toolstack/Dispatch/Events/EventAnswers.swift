import APITypes
import PoolDatabase
import Synchronization

/// The answers that were made last: of those who wait for the same changes only the first pays for them.
final class EventAnswers: Sendable {
    private struct Question: Hashable, Sendable {
        let filter: ChangeFilter
        let since: EventToken
    }

    private struct Kept: Sendable {
        /// The state of the database that the answers tell of.
        var generation: Int64 = -1
        var answers: [Question: APIValue] = [:]
    }

    private let kept = Mutex(Kept())
    /// More different questions at one generation than this are not remembered.
    private static let most = 16

    /// The answer to a question that somebody else asked at this generation.
    func known(_ filter: ChangeFilter, since: EventToken, at generation: Int64) -> APIValue? {
        kept.withLock { $0.generation == generation ? $0.answers[Question(filter: filter, since: since)] : nil }
    }

    func keep(_ answer: APIValue, _ filter: ChangeFilter, since: EventToken, at generation: Int64) {
        kept.withLock { kept in
            guard generation >= kept.generation else { return }
            if generation > kept.generation { kept = Kept(generation: generation) }
            guard kept.answers.count < Self.most else { return }
            kept.answers[Question(filter: filter, since: since)] = answer
        }
    }
}
