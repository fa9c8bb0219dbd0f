import APITypes
import PoolDatabase
import Synchronization

/// The messages of class `event`: `from` and its relatives, and the older `register` and `next`.
final class Events: Sendable {
    private let database: PoolDatabase
    private let sessions: Sessions
    private let registrations = Mutex<[String: Registration]>([:])
    private let isStopping = Atomic<Bool>(false)

    /// How long changes gather before they are answered together.
    private static let gathering = Duration.milliseconds(50)
    private static let legacyGathering = Duration.milliseconds(200)
    private static let longest = 86400.0
    /// Waiting calls look up this often, whatever else happens.
    private static let patience = Duration.seconds(60)

    private struct Registration: Sendable {
        var subscription: EventSubscription
        var since: Int64
        var nextID: Int64
    }

    init(database: PoolDatabase, sessions: Sessions) {
        self.database = database
        self.sessions = sessions
    }

    /// Lets waiting calls return, and later ones at once.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        database.wakeWaiters()
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
        table.on("event.register") { [self] context, arguments in
            let added = EventSubscription(try arguments.get(0), schema: database.schema)
            let now = database.generation
            registrations.withLock { all in
                // Sessions that ended leave nothing behind.
                all = all.filter { sessions.exists(Ref($0.key)) }
                var own =
                    all[context.session.opaque]
                    ?? Registration(subscription: EventSubscription([], schema: database.schema), since: now, nextID: 1)
                own.subscription.add(added)
                all[context.session.opaque] = own
            }
            return .void
        }
        table.on("event.unregister") { [self] context, arguments in
            let removed = EventSubscription(try arguments.get(0), schema: database.schema)
            registrations.withLock { $0[context.session.opaque]?.subscription.remove(removed) }
            return .void
        }
        table.on("event.next") { [self] context, _ in try await next(context.session) }
    }

    private func from(
        _ session: Ref<Session>, classes: [String], token: String, timeout: Double
    ) async throws -> APIValue {
        let start = try EventToken(token).generation
        let subscription = EventSubscription(classes, schema: database.schema)
        let seconds = timeout >= 0 && timeout <= Self.longest ? timeout : Self.longest
        let deadline = ContinuousClock.now + .seconds(seconds)
        var since = start
        if !subscription.isForTasksOnly { try await pause(Self.gathering, until: deadline) }
        while true {
            let batch = EventBatch(of: subscription, since: since, in: database)
            guard sessions.exists(session) else { throw APIError("SESSION_INVALID", session.opaque) }
            let now = ContinuousClock.now
            if !batch.isEmpty || now >= deadline || isStopping.load(ordering: .acquiring) {
                return batch.answer(counts: counts())
            }
            since = batch.generation
            await database.waitForChange(after: since, timeout: min(deadline - now, Self.patience))
            try Task.checkCancellation()
            try await pause(Self.gathering, until: deadline)
        }
    }

    private func next(_ session: Ref<Session>) async throws -> APIValue {
        while true {
            guard sessions.exists(session) else { throw APIError("SESSION_INVALID", session.opaque) }
            guard let own = registrations.withLock({ $0[session.opaque] }) else {
                throw APIError("SESSION_NOT_REGISTERED", session.opaque)
            }
            let batch = EventBatch(of: own.subscription, since: own.since, in: database)
            if !batch.isEmpty || isStopping.load(ordering: .acquiring) {
                registrations.withLock { all in
                    all[session.opaque]?.since = batch.generation
                    all[session.opaque]?.nextID = own.nextID + batch.count
                }
                return batch.events(numberedFrom: own.nextID)
            }
            await database.waitForChange(after: batch.generation, timeout: Self.patience)
            try Task.checkCancellation()
            try await Task.sleep(for: Self.legacyGathering)
        }
    }

    private func pause(_ time: Duration, until deadline: ContinuousClock.Instant) async throws {
        let left = deadline - .now
        if left > .zero { try await Task.sleep(for: min(time, left)) }
    }

    /// How many objects of each class there are.
    private func counts() -> [String: APIValue] {
        database.read { reader in
            Dictionary(
                reader.schema.classes.map { ($0.name.lowercased(), .int(Int64(reader.count(className: $0.name)))) },
                uniquingKeysWith: { first, _ in first })
        }
    }
}
