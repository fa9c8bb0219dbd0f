import APITypes
import PoolDatabase
import RPCCodec
import Synchronization

/// The older messages of class `event`: `register`, `next`, `unregister`. What a session registered for is remembered
/// until the session ends; nothing is queued: `next` tells what changed since it was asked last.
final class RegisteredEvents: Sendable {
    private let database: PoolDatabase
    private let events: Events
    private let registrations = Mutex<[String: Registration]>([:])

    private static let gathering = Duration.milliseconds(200)
    /// A batch that is longer than this as JSON is lost: the client has to register again and read everything. Bytes.
    static let batchLimit = 10_000_000

    private struct Registration: Sendable {
        var subscription = EventSubscription()
        /// The generation at which the session registered.
        let began: Int64
        var since: Int64
        var nextID: Int64 = 1
        /// Of the calls that wait.
        var watches: [ObjectIdentifier: ChangeWatch] = [:]
    }

    init(events: Events) {
        self.events = events
        database = events.database
    }

    func register(in table: inout MessageTable) {
        table.on("event.register") { [self] context, arguments in
            let added = EventSubscription(try arguments.get(0), schema: database.schema)
            let now = database.generation
            try change(context.session) { own throws(APIError) in
                var next = own ?? Registration(began: now, since: now)
                next.subscription.add(added)
                try next.subscription.requireBounded()
                own = next
            }
            return .void
        }
        table.on("event.unregister") { [self] context, arguments in
            let removed = EventSubscription(try arguments.get(0), schema: database.schema)
            change(context.session) { $0?.subscription.remove(removed) }
            return .void
        }
        table.on("event.next") { [self] context, _ in try await next(context.session) }
    }

    /// Changes a session's registration and lets a call that waits look again.
    private func change<Failure>(
        _ session: Ref<Session>, _ body: (inout Registration?) throws(Failure) -> Void
    ) throws(Failure) {
        let waiting = try registrations.withLock { all throws(Failure) -> [ChangeWatch] in
            // Sessions that ended leave nothing behind.
            all = all.filter { events.sessions.exists(Ref($0.key)) }
            try body(&all[session.opaque])
            return all[session.opaque].map { Array($0.watches.values) } ?? []
        }
        for watch in waiting { watch.wake() }
    }

    /// Several calls of one session that wait at a time are all told what changes meanwhile.
    private func next(_ session: Ref<Session>) async throws -> APIValue {
        var asked: Int64?
        while true {
            try events.requireSession(session)
            guard let own = registrations.withLock({ $0[session.opaque] }) else {
                throw APIError("SESSION_NOT_REGISTERED", session.opaque)
            }
            let filter = own.subscription.filter
            let since = max(asked ?? own.since, own.began)
            asked = since
            let watch = database.watch(filter.alsoTheEnd(of: session))
            defer {
                registrations.withLock { $0[session.opaque]?.watches[ObjectIdentifier(watch)] = nil }
                watch.end()
            }
            let isCurrent = registrations.withLock { all -> Bool in
                all[session.opaque]?.watches[ObjectIdentifier(watch)] = watch
                return all[session.opaque]?.subscription.filter == filter
            }
            // Registered for more meanwhile: nobody woke what was not there yet.
            guard isCurrent else { continue }
            let batch = EventBatch(of: filter, since: EventToken(generation: since), in: database)
            if !batch.isEmpty || events.isStopping { return try take(batch, own, session) }
            await watch.wait()
            try Task.checkCancellation()
            try events.requireSession(session)
            try await Task.sleep(for: Self.gathering)
        }
    }

    private func take(_ batch: EventBatch, _ own: Registration, _ session: Ref<Session>) throws(APIError) -> APIValue {
        let records = batch.events(numberedFrom: own.nextID)
        guard !batch.isIncomplete, JSONText.encode(records.wire).utf8.count <= Self.batchLimit else {
            let others = registrations.withLock { $0.removeValue(forKey: session.opaque)?.watches.values }
            for watch in others.map(Array.init) ?? [] { watch.wake() }
            throw APIError("EVENTS_LOST")
        }
        registrations.withLock { all in
            guard let known = all[session.opaque] else { return }
            all[session.opaque]?.since = max(known.since, batch.generation)
            all[session.opaque]?.nextID = max(known.nextID, own.nextID + Int64(batch.count))
        }
        return records
    }
}
