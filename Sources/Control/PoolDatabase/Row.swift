public import APITypes

/// One object of the database as it was when it was read: a value that does not change.
public struct Row: Sendable {
    public let schema: ClassSchema
    /// `OpaqueRef:…`
    public let ref: String
    let stored: StoredRow

    public var className: String { schema.name }
    /// The database generation that created the row.
    public var created: Int64 { stored.created }
    /// The database generation that changed the row last.
    public var lastModified: Int64 { stored.modified }

    /// The field's value; the datamodel's default where the row has none of its own.
    public subscript<C, V>(_ key: FieldKey<C, V>) -> V {
        guard let value = V(api: self[field: key.name]) else {
            preconditionFailure("\(className).\(key.name) does not hold a \(V.self): \(self[field: key.name])")
        }
        return value
    }

    /// The same by wire name; `.void` for a field that the class does not have.
    public subscript(field name: String) -> APIValue {
        stored.values[name] ?? schema.field(name)?.initial ?? .void
    }

    public func typedRef<C>(_: C.Type) -> Ref<C> { Ref(ref) }

    public var uuid: String { text("uuid") }
    public var nameLabel: String { text("name_label") }

    /// The row as `get_record` returns it: every public field, in datamodel order.
    public var record: APIValue {
        var members: [APIMember] = []
        members.reserveCapacity(schema.fields.count)
        for field in schema.fields where field.isPublic {
            members.append(APIMember(field.name, stored.values[field.name] ?? field.initial))
        }
        return .record(members)
    }

    /// Calls `body` with each public field, in datamodel order: a record that need not be built.
    public func forEachPublicField(_ body: (_ name: String, _ value: APIValue) -> Void) {
        for field in schema.fields where field.isPublic {
            body(field.name, stored.values[field.name] ?? field.initial)
        }
    }

    private func text(_ name: String) -> String {
        guard case .string(let text) = self[field: name] else { return "" }
        return text
    }
}

/// The values of a row that is about to be inserted.
public struct NewRow {
    let schema: ClassSchema
    var values: [String: APIValue] = [:]

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
        get { values[name] ?? schema.field(name)?.initial ?? .void }
        set {
            precondition(schema.field(name) != nil, "\(schema.name) has no field \(name)")
            values[name] = newValue
        }
    }
}

/// What a row consists of. Only values that were set are here, and the computed sets that are not empty.
struct StoredRow: Sendable {
    var values: [String: APIValue]
    var created: Int64
    var modified: Int64
}
