import APITypes
import PoolDatabase

/// What a client subscribed to: `*`, `class` or `class/ref`, classes in any case. Unknown classes match nothing.
struct EventSubscription: Sendable {
    private var everything = false
    private var classes: Set<String> = []
    private var objects: [String: Set<String>] = [:]

    init(_ texts: [String], schema: DatabaseSchema) {
        for text in texts {
            if text == "*" {
                everything = true
                continue
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = schema.anyCase(String(parts[0]))?.name else { continue }
            if parts.count == 1 {
                classes.insert(name)
            } else {
                objects[name, default: []].insert(String(parts[1]))
            }
        }
    }

    /// The classes to look at; nil for all.
    var classNames: Set<String>? { everything ? nil : classes.union(objects.keys) }

    /// Clients that only follow tasks get each change at once; others get them in batches.
    var isForTasksOnly: Bool { !everything && classNames == ["task"] }

    func covers(_ className: String, _ ref: String) -> Bool {
        everything || classes.contains(className) || objects[className]?.contains(ref) ?? false
    }

    /// Merges another subscription into this one.
    mutating func add(_ other: EventSubscription) {
        everything = everything || other.everything
        classes.formUnion(other.classes)
        objects.merge(other.objects) { $0.union($1) }
    }

    mutating func remove(_ other: EventSubscription) {
        if other.everything { self = EventSubscription([], schema: DatabaseSchema([])) }
        classes.subtract(other.classes)
        for (name, refs) in other.objects { objects[name]?.subtract(refs) }
    }
}

/// What happened to the subscribed objects between two generations.
struct EventBatch: Sendable {
    /// The member of the answer whose numbers travel as `i4`.
    static let countsMember = "valid_ref_counts"

    let generation: Int64
    /// Adds, then changes, then deletions.
    private let records: [(operation: String, id: Int64, className: String, ref: String, snapshot: APIValue?)]

    var isEmpty: Bool { records.isEmpty }

    init(of subscription: EventSubscription, since: Int64, in database: PoolDatabase) {
        let schema = database.schema
        func isShown(_ className: String, _ ref: String) -> Bool {
            schema[className]?.generatesEvents ?? false && subscription.covers(className, ref)
        }
        let changes = database.changes(since: since, classes: subscription.classNames)
        let rows = changes.changed.filter { isShown($0.className, $0.ref) }
        let gone = changes.deleted.filter { $0.created <= since && isShown($0.className, $0.ref) }
        generation = changes.generation
        records =
            rows.filter { $0.created > since }.map { ("add", $0.lastModified, $0.className, $0.ref, $0.record) }
            + rows.filter { $0.created <= since }.map { ("mod", $0.lastModified, $0.className, $0.ref, $0.record) }
            + gone.map { ("del", $0.generation, $0.className, $0.ref, nil) }
    }

    /// The events as the API shows them; `firstID` numbers them instead of the generations when given.
    func events(numberedFrom firstID: Int64? = nil) -> APIValue {
        .set(
            records.enumerated().map { index, event in
                let id = firstID.map { $0 + Int64(index) } ?? event.id
                var members = [
                    APIMember("id", .string(String(id))), APIMember("timestamp", .string("0.0")),
                    APIMember("class", .string(event.className.lowercased())),
                    APIMember("operation", .string(event.operation)), APIMember("ref", .string(event.ref)),
                ]
                if let snapshot = event.snapshot { members.append(APIMember("snapshot", snapshot)) }
                return .record(members)
            })
    }

    var count: Int64 { Int64(records.count) }

    func answer(counts: [String: APIValue]) -> APIValue {
        .record([
            APIMember("events", events()), APIMember(Self.countsMember, .map(counts)),
            APIMember("token", .string(EventToken(generation: generation).text)),
        ])
    }
}

/// A position in the stream of events: generations of the database and of the messages, 20 digits each.
struct EventToken: Sendable {
    let generation: Int64
    var messages: Int64 = 0

    init(generation: Int64) { self.generation = generation }

    /// The empty text is the beginning. Throws EVENT_FROM_TOKEN_PARSE_FAILURE [text].
    init(_ text: String) throws(APIError) {
        if text.isEmpty {
            generation = 0
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int64(parts[0]), let second = Int64(parts[1]), first >= 0 else {
            throw APIError("EVENT_FROM_TOKEN_PARSE_FAILURE", text)
        }
        generation = first
        messages = second
    }

    var text: String { "\(Self.digits(generation)),\(Self.digits(messages))" }

    private static func digits(_ number: Int64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 20 - text.count)) + text
    }
}
