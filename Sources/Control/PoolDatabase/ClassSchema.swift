public import APITypes

/// What the database needs to know of one field of a class. Declared in the datamodel; this is its digest.
public struct FieldSchema: Sendable {
    /// The wire name, e.g. `virtual_size`.
    public let name: String
    /// The column name of the query language: namespaces joined with a double underscore, e.g. `memory__static_max`.
    public let column: String
    /// The value of a row that has none of its own.
    public let initial: APIValue
    /// False for fields that are never shown to clients.
    public let isPublic: Bool
    /// False for fields that are lost when the daemon stops.
    public let isPersistent: Bool
    /// Set when the field is the computed side of a relation.
    public let source: RelationSource?

    public init(
        name: String, column: String, initial: APIValue, isPublic: Bool, isPersistent: Bool,
        source: RelationSource?
    ) {
        self.name = name
        self.column = column
        self.initial = initial
        self.isPublic = isPublic
        self.isPersistent = isPersistent
        self.source = source
    }
}

/// The stored side of a relation: the objects of `className` whose `field` refers (or contains a reference) to a row
/// make up that row's computed set.
public struct RelationSource: Hashable, Sendable {
    public let className: String
    public let field: String

    public init(className: String, field: String) {
        self.className = className
        self.field = field
    }
}

/// What the database needs to know of one class.
public final class ClassSchema: Sendable {
    public let name: String
    /// False for classes that live in memory only (sessions, tasks, …).
    public let isPersistent: Bool
    /// True when changes of its rows are shown by `event.from`.
    public let generatesEvents: Bool
    /// In datamodel order.
    public let fields: [FieldSchema]
    /// The computed sets of other classes that follow a field of this one: field name → the target's class and field.
    let targets: [String: RelationTarget]
    private let positions: [String: Int]
    private let columns: [String: Int]

    init(
        name: String, isPersistent: Bool, generatesEvents: Bool, fields: [FieldSchema],
        targets: [String: RelationTarget]
    ) {
        self.name = name
        self.isPersistent = isPersistent
        self.generatesEvents = generatesEvents
        self.fields = fields
        self.targets = targets
        positions = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        columns = Dictionary(fields.enumerated().map { ($1.column, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public func field(_ name: String) -> FieldSchema? { positions[name].map { fields[$0] } }
    public func field(column: String) -> FieldSchema? { columns[column].map { fields[$0] } }
}

/// The computed side of a relation.
struct RelationTarget: Hashable, Sendable {
    let className: String
    let field: String
}

/// All classes that have rows.
public final class DatabaseSchema: Sendable {
    public let classes: [ClassSchema]
    private let byName: [String: ClassSchema]
    private let byLowercaseName: [String: ClassSchema]

    /// One class as given to `init`.
    public struct Declaration: Sendable {
        public let name: String
        public let isPersistent: Bool
        public let generatesEvents: Bool
        public let fields: [FieldSchema]

        public init(name: String, isPersistent: Bool, generatesEvents: Bool, fields: [FieldSchema]) {
            self.name = name
            self.isPersistent = isPersistent
            self.generatesEvents = generatesEvents
            self.fields = fields
        }
    }

    public init(_ declarations: [Declaration]) {
        var targets: [String: [String: RelationTarget]] = [:]
        for declaration in declarations {
            for field in declaration.fields {
                guard let source = field.source else { continue }
                targets[source.className, default: [:]][source.field] =
                    RelationTarget(className: declaration.name, field: field.name)
            }
        }
        classes = declarations.map {
            ClassSchema(
                name: $0.name, isPersistent: $0.isPersistent, generatesEvents: $0.generatesEvents, fields: $0.fields,
                targets: targets[$0.name] ?? [:])
        }
        byName = Dictionary(classes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        byLowercaseName = Dictionary(
            classes.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(_ name: String) -> ClassSchema? { byName[name] }
    /// By any spelling of the name's case, as event subscriptions give it.
    public func anyCase(_ name: String) -> ClassSchema? { byLowercaseName[name.lowercased()] }
}
