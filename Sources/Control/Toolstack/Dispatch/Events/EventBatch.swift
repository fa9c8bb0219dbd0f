public import APITypes
import PoolDatabase
import Synchronization

/// Takes what `event.from` is about to answer, of those who write it event by event.
final class LargeBatch: Sendable {
    @TaskLocal static var taker: LargeBatch?

    private let batch = Mutex<EventBatch?>(nil)
    var taken: EventBatch? { batch.withLock { $0 } }

    func take(_ large: EventBatch) { batch.withLock { $0 = large } }
}

/// What happened to the subscribed objects between two generations, in the order of the API: messages, adds, changes,
/// deletions, each object once and as it is now.
public struct EventBatch: Sendable {
    /// The member of the answer whose numbers travel as `i4`.
    static let countsMember = "valid_ref_counts"

    private enum Operation: String, Sendable {
        case add, mod, del
    }

    private struct Event: Sendable {
        let operation: Operation
        let id: Int64
        let className: String
        let ref: String
        var row: Row?
    }

    let generation: Int64
    /// Too much happened: deletions are missing.
    let isIncomplete: Bool
    private let records: [Event]
    private let changes: Changes

    var isEmpty: Bool { records.isEmpty }
    public var count: Int { records.count }

    /// A batch of more events is not made as a whole: each has an object's record.
    static let few = 256
    var isLarge: Bool { count > Self.few }

    init(of filter: ChangeFilter, since: EventToken, in database: PoolDatabase) {
        changes = database.changes(
            since: since.generation, filter: filter, exceptions: [XenMessage.className: since.messages])
        generation = changes.generation
        isIncomplete = changes.isIncomplete
        let rows = changes.changed.map { row in
            Event(
                operation: row.created > since.position(of: row.className) ? .add : .mod, id: row.lastModified,
                className: row.className, ref: row.ref, row: row)
        }
        // What came and went between was never there.
        let gone = changes.deleted.filter { $0.created <= since.position(of: $0.className) }.map {
            Event(operation: .del, id: $0.generation, className: $0.className, ref: $0.ref)
        }
        let all = rows.filter { $0.operation == .add } + rows.filter { $0.operation == .mod } + gone
        records =
            all.filter { $0.className == XenMessage.className }
            + all.filter { $0.className != XenMessage.className }
    }

    /// The events as the API shows them; `firstID` numbers them instead of the generations when given.
    func events(numberedFrom firstID: Int64? = nil) -> APIValue {
        .set(records.indices.map { index in event(index, id: firstID.map { $0 + Int64(index) }) })
    }

    /// One of the events.
    public func event(_ index: Int) -> APIValue { event(index, id: nil) }

    private func event(_ index: Int, id: Int64?) -> APIValue {
        let event = records[index]
        var members = [
            APIMember("id", .string(String(id ?? event.id))), APIMember("timestamp", .string("0.0")),
            APIMember("class", .string(event.className.lowercased())),
            APIMember("operation", .string(event.operation.rawValue)), APIMember("ref", .string(event.ref)),
        ]
        if let row = event.row { members.append(APIMember("snapshot", row.record)) }
        return .record(members)
    }

    /// The answer of `event.from`.
    func answer() -> APIValue { .record([APIMember(Self.eventsMember, events())] + rest) }

    /// The member of the answer that has the events, which comes first.
    public static let eventsMember = "events"

    /// The members behind the events.
    public var rest: [APIMember] {
        [
            APIMember(Self.countsMember, .map(changes.counts.mapValues(APIValue.int))),
            APIMember("token", .string(EventToken(generation: generation).text)),
        ]
    }
}

extension Changes {
    /// How many objects of each class there are, by the class's name in small letters.
    fileprivate var counts: [String: Int64] {
        var counts: [String: Int64] = [:]
        counts.reserveCapacity(schema.classes.count)
        for declared in schema.classes { counts[declared.lowercaseName] = Int64(count(of: declared)) }
        return counts
    }
}
