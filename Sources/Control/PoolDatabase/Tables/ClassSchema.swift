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
    /// What of a value is of the field's type, all of it as a rule; nil when nothing is. A file may be a stranger's.
    let admitted: @Sendable (APIValue) -> APIValue?

    /// What a row shows that has no value of its own, or no member in its computed set.
    public var standard: APIValue { source == nil ? initial : .set([]) }

    public init(
        name: String, column: String, initial: APIValue, isPublic: Bool, isPersistent: Bool,
        source: RelationSource?, admitted: (@Sendable (APIValue) -> APIValue?)? = nil
    ) {
        self.admitted = admitted ?? { $0.isOfSameKind(as: initial) ? $0 : nil }
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
    /// The name as events and counts show it.
    public let lowercaseName: String
    /// False for classes that live in memory only (sessions, tasks, …).
    public let isPersistent: Bool
    /// True when changes of its rows are shown by `event.from`.
    public let generatesEvents: Bool
    /// In datamodel order.
    public let fields: [FieldSchema]
    /// The position in `DatabaseSchema.classes`.
    let index: Int
    /// By position: which computed set of the class the field is; nil for stored fields.
    let slots: [Int?]
    let slotCount: Int
    /// The computed sets, by the positions of their fields, lowest first.
    let computedFields: [(position: Int, slot: Int)]
    /// The computed sets of other classes that follow a field of this one, by the field's position.
    let targets: [Int: RelationTarget]
    let uuidPosition: Int?
    let namePosition: Int?
    private let positions: [String: Int]
    private let columns: [String: Int]

    init(_ declared: DatabaseSchema.Declaration, index: Int, targets: [Int: RelationTarget]) {
        precondition(declared.fields.count <= FieldValues.most, "\(declared.name) has too many fields")
        name = declared.name
        lowercaseName = declared.name.lowercased()
        isPersistent = declared.isPersistent
        generatesEvents = declared.generatesEvents
        fields = declared.fields
        self.index = index
        self.targets = targets
        slots = declared.slots
        computedFields = declared.slots.enumerated().compactMap { position, slot in slot.map { (position, $0) } }
        slotCount = declared.fields.count { $0.source != nil }
        positions = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        columns = Dictionary(fields.enumerated().map { ($1.column, $0) }, uniquingKeysWith: { first, _ in first })
        uuidPosition = positions["uuid"]
        namePosition = positions["name_label"]
    }

    public func field(_ name: String) -> FieldSchema? { positions[name].map { fields[$0] } }
    /// The position of a field in `fields`, by wire name.
    public func position(_ name: String) -> Int? { positions[name] }
    /// The same by column name.
    public func position(column: String) -> Int? { columns[column] }
}

/// The computed side of a relation: a slot of a class.
struct RelationTarget: Hashable, Sendable {
    let classIndex: Int
    let slot: Int
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
        let indexes = Dictionary(
            declarations.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var targets = [[Int: RelationTarget]](repeating: [:], count: declarations.count)
        for (index, declared) in declarations.enumerated() {
            for (field, slot) in zip(declared.fields, declared.slots) {
                guard let source = field.source, let slot, let other = indexes[source.className],
                    let position = declarations[other].fields.firstIndex(where: { $0.name == source.field })
                else { continue }
                targets[other][position] = RelationTarget(classIndex: index, slot: slot)
            }
        }
        classes = declarations.enumerated().map { ClassSchema($1, index: $0, targets: targets[$0]) }
        byName = Dictionary(classes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        byLowercaseName = Dictionary(
            classes.map { ($0.lowercaseName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(_ name: String) -> ClassSchema? { byName[name] }
    /// By any spelling of the name's case, as event subscriptions give it.
    public func anyCase(_ name: String) -> ClassSchema? { byLowercaseName[name.lowercased()] }
}

extension DatabaseSchema.Declaration {
    /// Numbers the computed fields, by position.
    var slots: [Int?] {
        var next = 0
        return fields.map { field in
            guard field.source != nil else { return nil }
            defer { next += 1 }
            return next
        }
    }
}
