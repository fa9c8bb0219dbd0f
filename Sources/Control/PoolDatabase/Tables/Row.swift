public import APITypes
import HashTreeCollections

/// One object of the database as it was when it was read: a value that does not change.
public struct Row: Sendable {
    public let schema: ClassSchema
    let stored: StoredRow
    /// The computed sets of the row's table, by slot.
    let members: ComputedSets

    /// `OpaqueRef:…`
    public var ref: String { stored.ref }
    public var className: String { schema.name }
    /// The database generation that created the row.
    public var created: Int64 { stored.created }
    /// The database generation that changed the row last.
    public var lastModified: Int64 { stored.modified }
    /// Grows with every row of a class that is made.
    public var ordinal: UInt64 { stored.ordinal }

    /// The field's value; the datamodel's default where the row has none of its own.
    @inlinable public subscript<C, V>(_ key: FieldKey<C, V>) -> V {
        guard let value = V(api: self[field: key.name]) else {
            preconditionFailure("\(className).\(key.name) does not hold a \(V.self): \(self[field: key.name])")
        }
        return value
    }

    /// The same by wire name; `.void` for a field that the class does not have.
    public subscript(field name: String) -> APIValue {
        guard let position = schema.position(name) else { return .void }
        return value(at: position)
    }

    /// The value of the field at `position` of `schema.fields`.
    public func value(at position: Int) -> APIValue {
        if let slot = schema.slots[position] {
            guard let set = members[slot][stored.ref] else { return .set([]) }
            return .set(set.refs.map(APIValue.ref))
        }
        return stored.values[position] ?? schema.fields[position].initial
    }

    public func typedRef<C>(_: C.Type) -> Ref<C> { Ref(ref) }

    public var uuid: String { text(schema.uuidPosition) }
    public var nameLabel: String { text(schema.namePosition) }

    /// The row as `get_record` returns it: every public field, in datamodel order.
    public var record: APIValue {
        var all: [APIMember] = []
        all.reserveCapacity(schema.fields.count)
        forEachPublicField { all.append(APIMember($0, $1)) }
        return .record(all)
    }

    /// The members of `record` one by one, without making it.
    public func forEachPublicField(_ body: (String, APIValue) -> Void) {
        for (position, field) in schema.fields.enumerated() where field.isPublic {
            body(field.name, value(at: position))
        }
    }

    private func text(_ position: Int?) -> String {
        guard let position, case .string(let text)? = stored.values[position] else { return "" }
        return text
    }
}

/// For each computed field of a class: the members by the reference of the row that has the set.
typealias ComputedSets = ContiguousArray<TreeDictionary<String, MemberSet>>

/// The values of a row that is about to be inserted.
public struct NewRow {
    let schema: ClassSchema
    var values = FieldValues()

    init(schema: ClassSchema) { self.schema = schema }

    public subscript<C, V>(_ key: FieldKey<C, V>) -> V {
        get {
            guard let value = V(api: self[field: key.name]) else {
                preconditionFailure("\(schema.name).\(key.name) does not hold a \(V.self)")
            }
            return value
        }
        set { self[field: key.name] = newValue.apiValue }
    }

    public subscript(field name: String) -> APIValue {
        get {
            guard let position = schema.position(name) else { return .void }
            return values[position] ?? schema.fields[position].initial
        }
        set {
            guard let position = schema.position(name) else {
                preconditionFailure("\(schema.name) has no field \(name)")
            }
            values[position] = newValue
        }
    }
}

/// What a row consists of. Never changes once others can see it: a change makes another. Unchecked for `derive`, which
/// is called on rows that one thread has just read from the file.
final class StoredRow: @unchecked Sendable {
    let ref: String
    /// Only values that were set are here, and none of computed sets.
    private(set) var values: FieldValues
    let created: Int64
    let modified: Int64
    /// Grows with every row that is made; the row's number in the file.
    let ordinal: UInt64

    init(ref: String, values: FieldValues, created: Int64, modified: Int64, ordinal: UInt64) {
        self.ref = ref
        self.values = values
        self.created = created
        self.modified = modified
        self.ordinal = ordinal
    }

    /// Gives the row a value that is not stored, before anybody else has the row.
    func derive(_ position: Int, _ value: APIValue) { values[position] = value }

    func with(_ values: FieldValues? = nil, modified: Int64) -> StoredRow {
        StoredRow(
            ref: ref, values: values ?? self.values, created: created, modified: modified, ordinal: ordinal)
    }
}
