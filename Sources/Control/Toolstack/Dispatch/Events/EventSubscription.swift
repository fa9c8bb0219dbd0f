import APITypes
import PoolDatabase

/// What a client subscribed to: `*`, `class` or `class/ref`, classes in any case. Unknown classes match nothing.
struct EventSubscription: Sendable {
    private(set) var filter = ChangeFilter()

    init() {}

    init(_ texts: [String], schema: DatabaseSchema) {
        for text in texts {
            if text == "*" {
                filter.everything = true
                continue
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let declared = schema.anyCase(String(parts[0])), declared.generatesEvents else { continue }
            if parts.count == 1 {
                filter.classes.insert(declared.name)
            } else {
                filter.objects[declared.name, default: []].insert(String(parts[1]))
            }
        }
    }

    /// The most objects that one may name, and the most bytes of their references in all: each is kept, and compared with every
    /// change.
    static let mostObjects = 4000
    static let longestReferences = 256 << 10

    /// EVENT_SUBSCRIPTION_PARSE_FAILURE [subscription] for one that names too much.
    func requireBounded() throws(APIError) {
        let count = filter.objects.values.reduce(0) { $0 + $1.count }
        let bytes = filter.objects.values.joined().reduce(0) { $0 + $1.utf8.count }
        guard count <= Self.mostObjects, bytes <= Self.longestReferences else {
            throw APIError("EVENT_SUBSCRIPTION_PARSE_FAILURE", "\(count) objects, whose references have \(bytes) bytes")
        }
    }

    /// Clients that only follow tasks get each change at once; others get them in batches.
    var isForTasksOnly: Bool {
        !filter.everything && Set(filter.classes).union(filter.objects.keys) == ["task"]
    }

    /// Merges another subscription into this one.
    mutating func add(_ other: EventSubscription) {
        filter.everything = filter.everything || other.filter.everything
        filter.classes.formUnion(other.filter.classes)
        filter.objects.merge(other.filter.objects) { $0.union($1) }
    }

    mutating func remove(_ other: EventSubscription) {
        if other.filter.everything { filter = ChangeFilter() }
        filter.classes.subtract(other.filter.classes)
        for (name, refs) in other.filter.objects { filter.objects[name]?.subtract(refs) }
    }
}

/// A position in the stream of events: generations of the database and of the messages, 20 digits each. Messages are rows
/// of the database here, yet a client may know them up to another generation.
struct EventToken: Hashable, Sendable {
    let generation: Int64
    let messages: Int64

    init(generation: Int64) { self.init(generation: generation, messages: generation) }

    private init(generation: Int64, messages: Int64) {
        self.generation = generation
        self.messages = messages
    }

    /// The empty text is the beginning. Throws EVENT_FROM_TOKEN_PARSE_FAILURE [text].
    init(_ text: String) throws(APIError) {
        if text.isEmpty {
            self.init(generation: 0)
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Int64(parts[0]), let second = Int64(parts[1]), first >= 0, second >= 0
        else {
            throw APIError("EVENT_FROM_TOKEN_PARSE_FAILURE", text)
        }
        self.init(generation: first, messages: second)
    }

    /// The generation up to which objects of a class are known.
    func position(of className: String) -> Int64 { className == XenMessage.className ? messages : generation }

    var text: String { "\(Self.digits(generation)),\(Self.digits(messages))" }

    private static func digits(_ number: Int64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 20 - text.count)) + text
    }
}
