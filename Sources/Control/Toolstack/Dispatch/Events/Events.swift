import APITypes
import PoolDatabase
import Synchronization

/// The messages of class `event` that are in use: `from`, `inject` and `get_current_id`. Whoever waits is woken by commits
/// that concern what he subscribed to, and by nothing else.
final class Events: Sendable {
    let database: PoolDatabase
    let sessions: Sessions
    private let answers = EventAnswers()
    private let stopping = Atomic<Bool>(false)

    /// How long changes gather before they are answered together.
    private static let gathering = Duration.milliseconds(50)
    /// Seconds.
    private static let longest = 86400.0

    init(database: PoolDatabase, sessions: Sessions) {
        self.database = database
        self.sessions = sessions
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Lets waiting calls return, and later ones at once.
    func stop() {
        stopping.store(true, ordering: .releasing)
        database.wakeWatches()
    }

    func register(in table: inout MessageTable) {
        table.on("event.from") { [self] context, arguments in
            try await from(
                context.session, classes: try arguments.get(0), token: try arguments.get(1),
                timeout: try arguments.get(2))
        }
        table.on("event.inject") { [self] _, arguments in
            let (className, ref): (String, String) = (try arguments.get(0), try arguments.get(1))
            let before = try await database.transaction { transaction in
                try transaction.touch(className: className, ref: ref)
                return transaction.generation - 1
            }
            return .string(EventToken(generation: before).text)
        }
        table.on("event.get_current_id") { [self] _, _ in .int(database.generation) }
    }

    private func from(
        _ session: Ref<Session>, classes: [String], token: String, timeout: Double
    ) async throws -> APIValue {
        var since = try EventToken(token)
        let subscription = EventSubscription(classes, schema: database.schema)
        let filter = subscription.filter
        let seconds = timeout >= 0 && timeout <= Self.longest ? timeout : Self.longest
        let deadline = ContinuousClock.now + .seconds(seconds)
        let watch = database.watch(filter.alsoTheEnd(of: session), until: deadline)
        defer { watch.end() }
        if !subscription.isForTasksOnly { try await Self.pause(Self.gathering, until: deadline) }
        while true {
            watch.arm()
            try requireSession(session)
            if let answer = answers.known(filter, since: since, at: database.generation) { return answer }
            let batch = EventBatch(of: filter, since: since, in: database)
            if batch.isLarge, let taker = LargeBatch.taker {
                taker.take(batch)
                return .void
            }
            if !batch.isEmpty {
                let answer = batch.answer()
                answers.keep(answer, filter, since: since, at: batch.generation)
                return answer
            }
            if ContinuousClock.now >= deadline || isStopping { return batch.answer() }
            since = EventToken(generation: batch.generation)
            await watch.wait()
            try Task.checkCancellation()
            try requireSession(session)
            try await Self.pause(Self.gathering, until: deadline)
        }
    }

    /// SESSION_INVALID [ref] when the session is over.
    func requireSession(_ session: Ref<Session>) throws(APIError) {
        guard sessions.exists(session) else { throw APIError("SESSION_INVALID", session.opaque) }
    }

    static func pause(_ time: Duration, until deadline: ContinuousClock.Instant) async throws {
        let left = deadline - .now
        if left > .zero { try await Task.sleep(for: min(time, left)) }
    }
}

extension ChangeFilter {
    /// The same, and the session: whose end ends the wait.
    func alsoTheEnd(of session: Ref<Session>) -> ChangeFilter {
        var filter = self
        filter.objects[Session.className, default: []].insert(session.opaque)
        return filter
    }
}
