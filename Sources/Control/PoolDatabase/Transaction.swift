public import APITypes
import HashTreeCollections

/// Changes that become visible and durable together, or not at all. Made by `PoolDatabase.transaction`, and only
/// valid inside its body. Reads see the transaction's own changes.
public final class Transaction: DatabaseReader {
    var state: DatabaseState
    /// What it began on.
    let start: DatabaseState
    /// The rows and private records to write; their values are those of `state` at the end.
    private(set) var touched: [TouchedRow] = []
    private(set) var touchedPrivates: [PrivateKey] = []
    /// The first mistake that could not be thrown where it was made; thrown when the body is done.
    private(set) var failure: APIError?

    struct PrivateKey: Hashable, Sendable {
        let kind: String
        let key: String
    }

    init(_ state: DatabaseState) {
        self.state = state
        start = state
        self.state.generation += 1
        self.state.journal = []
    }

    var isEmpty: Bool { state.journal.isEmpty && touchedPrivates.isEmpty }

    /// Adds a row. Fields that `values` leaves alone take the datamodel's defaults, except `uuid`, which is generated.
    /// A reference or uuid that exists already fails the whole transaction.
    public func insert<C: XenClass>(_ type: C.Type, ref: Ref<C>, _ values: (inout NewRow) -> Void) {
        insert(className: C.className, ref: ref.opaque, values)
    }

    public func insert(className: String, ref: String, _ values: (inout NewRow) -> Void) {
        guard let schema = state.schema[className] else { return fail(.internalError("no class \(className)")) }
        var row = NewRow(schema: schema)
        values(&row)
        for (position, slot) in schema.slots.enumerated() where slot != nil { row.values[position] = nil }
        if let position = schema.uuidPosition {
            let given = row.values[position]
            if given == nil { row.values[position] = .string(Identifiers.newUUID()) }
            if case .string(let uuid)? = given, !uuid.isEmpty, state.row(className: className, uuid: uuid) != nil {
                return fail(APIError("DB_UNIQUENESS_CONSTRAINT_VIOLATION", className, "uuid", uuid))
            }
        }
        let key = RowKey(classIndex: schema.index, ref: ref)
        guard state.stored(key) == nil else {
            return fail(APIError("DB_UNIQUENESS_CONSTRAINT_VIOLATION", className, "_ref", ref))
        }
        let ordinal = state.insert(schema, ref, row.values)
        if schema.isPersistent { touched.append(TouchedRow(key: key, ordinal: ordinal)) }
    }

    /// Throws HANDLE_INVALID [class, ref] when there is no such row.
    public func set<C: XenClass, V>(_ ref: Ref<C>, _ key: FieldKey<C, V>, _ value: V) throws(APIError) {
        try update(className: C.className, ref: ref.opaque, field: key.name, value.apiValue)
    }

    /// The same by names. The value must be of the field's type.
    public func update(className: String, ref: String, field: String, _ value: APIValue) throws(APIError) {
        guard let schema = state.schema[className],
            let row = state.stored(RowKey(classIndex: schema.index, ref: ref))
        else { throw .handleInvalid(className, ref) }
        guard let position = schema.position(field) else { throw .internalError("\(className) has no field \(field)") }
        let declared = schema.fields[position]
        guard declared.source == nil else { throw .internalError("\(className).\(field) follows from other objects") }
        if row.values[position] ?? declared.initial == value { return }
        state.set(schema, row, position, value)
        if schema.isPersistent && declared.isPersistent {
            touched.append(TouchedRow(key: RowKey(classIndex: schema.index, ref: ref), ordinal: row.ordinal))
        }
    }

    /// Makes the row look changed to `event.from`.
    public func touch(className: String, ref: String) throws(APIError) {
        guard let schema = state.schema[className], state.row(className: className, ref: ref) != nil else {
            throw .handleInvalid(className, ref)
        }
        state.touch(schema, ref)
    }

    /// Removes the row; nothing when it is gone already. Its name is taken out of the computed sets of others;
    /// stored references to it stay and dangle, as the callers wish.
    public func delete<C: XenClass>(_ ref: Ref<C>) { delete(className: C.className, ref: ref.opaque) }

    public func delete(className: String, ref: String) {
        guard let schema = state.schema[className] else { return }
        let key = RowKey(classIndex: schema.index, ref: ref)
        guard let row = state.stored(key) else { return }
        state.delete(schema, row)
        if schema.isPersistent { touched.append(TouchedRow(key: key, ordinal: row.ordinal)) }
    }

    /// Stores one of the toolstack's own records, as durable as the rows of this transaction; nil removes it.
    public func setPrivate(kind: String, key: String, value: String?) {
        if let value {
            state.privates[kind, default: [:]][key] = value
        } else {
            guard state.privates[kind]?[key] != nil else { return }
            state.privates[kind]?[key] = nil
        }
        touchedPrivates.append(PrivateKey(kind: kind, key: key))
    }

    private func fail(_ error: APIError) { failure = failure ?? error }

    // MARK: DatabaseReader

    public var generation: Int64 { state.generation }
    public var schema: DatabaseSchema { state.schema }
    public func row(className: String, ref: String) -> Row? { state.row(className: className, ref: ref) }
    public func rows(className: String) -> [Row] { state.rows(className: className) }
    public func list(className: String) -> RowList? { state.list(className: className) }
    public func count(className: String) -> Int { state.count(className: className) }
    public func row(className: String, uuid: String) -> Row? { state.row(className: className, uuid: uuid) }
    public func rows(className: String, nameLabel: String) -> [Row] {
        state.rows(className: className, nameLabel: nameLabel)
    }
    public func privateRecords(kind: String) -> [String: String] { state.privateRecords(kind: kind) }
    public func rows(className: String, field: String, equals value: APIValue) -> [Row]? {
        state.rows(className: className, field: field, equals: value)
    }
    public func privateRecord(kind: String, key: String) -> String? { state.privateRecord(kind: kind, key: key) }
    public var privateKinds: [String] { state.privateKinds }
}
