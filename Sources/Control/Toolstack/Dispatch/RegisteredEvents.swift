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
        var since: Int64
        var nextID: Int64 = 1
        /// Of the call that waits, if one does.
        var watch: ChangeWatch?
    }

    init(events: Events) {
        self.events = events
        database = events.database
    }

    func register(in table: inout MessageTable) {
        table.on("event.register") { [self] context, arguments in
            let added = EventSubscription(try arguments.get(0), schema: database.schema)
            let now = database.generation
            change(context.session) { own in
                if own == nil { own = Registration(since: now) }
                own?.subscription.add(added)
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
    private func change(_ session: Ref<Session>, _ body: (inout Registration?) -> Void) {
        let waiting = registrations.withLock { all -> ChangeWatch? in
            // Sessions that ended leave nothing behind.
            all = all.filter { events.sessions.exists(Ref($0.key)) }
            body(&all[session.opaque])
            return all[session.opaque]?.watch
        }
        waiting?.wake()
    }

    private func next(_ session: Ref<Session>) async throws -> APIValue {
        while true {
            try events.requireSession(session)
            guard let own = registrations.withLock({ $0[session.opaque] }) else {
                throw APIError("SESSION_NOT_REGISTERED", session.opaque)
            }
            let filter = own.subscription.filter
            let watch = database.watch(filter.alsoTheEnd(of: session))
            defer { watch.end() }
            let isCurrent = registrations.withLock { all -> Bool in
                all[session.opaque]?.watch = watch
                return all[session.opaque]?.subscription.filter == filter
            }
            // Registered for more meanwhile: nobody woke what was not there yet.
            guard isCurrent else { continue }
            let batch = EventBatch(of: filter, since: EventToken(generation: own.since), in: database)
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
            registrations.withLock { $0[session.opaque] = nil }
            throw APIError("EVENTS_LOST")
        }
        registrations.withLock { all in
            all[session.opaque]?.since = batch.generation
            all[session.opaque]?.nextID = own.nextID + Int64(batch.count)
            all[session.opaque]?.watch = nil
        }
        return records
    }
}
