public import APITypes
import RPCCodec

/// The messages of one class, to be sent through `caller`. `session.vdi` and the like.
public protocol ClassCalls: Sendable {
    associatedtype Class: XenClass
    var caller: any XenAPICaller { get }
}

/// The messages that every class with objects in the database has.
public protocol ObjectCalls: ClassCalls where Class: RecordClass {}

/// The messages of a class whose objects have a name.
public protocol NamedCalls: ObjectCalls {}

/// The messages of a class whose objects can be listed.
public protocol ListingCalls: ObjectCalls {}

/// The messages of a class whose objects are made with `create`.
public protocol CreatableCalls: ObjectCalls where Class: CreatableClass {}

/// Names a field in `get`, `set`, `add` and `remove`: `\.nameLabel`.
public typealias FieldPath<Class: XenClass, Value: APIConvertible> =
    any KeyPath<Class.Type, FieldKey<Class, Value>> & Sendable

extension ObjectCalls {
    /// The object's record. Fails with `HANDLE_INVALID` when there is no such object.
    public func getRecord(_ object: Ref<Class>) async throws -> Class.Record {
        try await caller.invoke("\(Class.className).get_record", [object.wire])
    }

    /// The object with this UUID. Fails with `UUID_INVALID` when there is none.
    public func getByUUID(_ uuid: String) async throws -> Ref<Class> {
        try await caller.invoke("\(Class.className).get_by_uuid", [uuid.wire])
    }

    /// One field of an object: `try await session.vdi.get(\.virtualSize, of: disk)`.
    public func get<Value: FieldValue>(
        _ field: FieldPath<Class, Value>, of object: Ref<Class>
    ) async throws -> Value.Received {
        try await caller.invoke("\(Class.className).get_\(Self.name(field))", [object.wire])
    }

    /// Gives a field another value. Fields that clients do not write answer `MESSAGE_METHOD_UNKNOWN`.
    public func set<Value: FieldValue>(
        _ field: FieldPath<Class, Value>, of object: Ref<Class>, to value: Value
    ) async throws {
        try await caller.perform("\(Class.className).set_\(Self.name(field))", [object.wire, value.wire])
    }

    /// Puts an entry into a map. Fails with `MAP_DUPLICATE_KEY` when the key is there already.
    public func add<Key: FieldMapKey, Value: FieldValue>(
        to field: FieldPath<Class, [Key: Value]>, of object: Ref<Class>, key: Key, value: Value
    ) async throws {
        let parameters = [object.wire, .string(key.mapKey), value.wire]
        try await caller.perform("\(Class.className).add_to_\(Self.name(field))", parameters)
    }

    /// Takes an entry out of a map; nothing happens when it is not there.
    public func remove<Key: FieldMapKey, Value: FieldValue>(
        from field: FieldPath<Class, [Key: Value]>, of object: Ref<Class>, key: Key
    ) async throws {
        let parameters = [object.wire, .string(key.mapKey)]
        try await caller.perform("\(Class.className).remove_from_\(Self.name(field))", parameters)
    }

    /// Puts a value into a set; nothing happens when it is there already.
    public func add<Value: FieldValue>(
        to field: FieldPath<Class, [Value]>, of object: Ref<Class>, _ value: Value
    ) async throws {
        try await caller.perform("\(Class.className).add_\(Self.name(field))", [object.wire, value.wire])
    }

    /// Takes a value out of a set; nothing happens when it is not there.
    public func remove<Value: FieldValue>(
        from field: FieldPath<Class, [Value]>, of object: Ref<Class>, _ value: Value
    ) async throws {
        try await caller.perform("\(Class.className).remove_\(Self.name(field))", [object.wire, value.wire])
    }

    private static func name<Value: FieldValue>(_ field: FieldPath<Class, Value>) -> String {
        Class.self[keyPath: field].name
    }
}

extension NamedCalls {
    /// The objects with this name: names are not unique.
    public func getByNameLabel(_ label: String) async throws -> [Ref<Class>] {
        try await caller.invoke("\(Class.className).get_by_name_label", [label.wire])
    }
}

extension ListingCalls {
    /// All objects of the class. Throws as `XenAPICaller.call` does, and `WireMismatch` for an answer of another kind.
    public func getAll() async throws -> [Ref<Class>] {
        try await caller.invoke("\(Class.className).get_all", [])
    }

    /// All objects of the class with their records, in one answer of any size.
    public func getAllRecords() async throws -> [Ref<Class>: Class.Record] {
        try await caller.invoke("\(Class.className).get_all_records", [])
    }

    /// The objects for which the query is true, e.g. `field "is_a_snapshot" = "true"`.
    public func getAll(where query: String) async throws -> [Ref<Class>] {
        try await caller.invoke("\(Class.className).get_all_where", [query.wire])
    }

    /// The records for which the query is true.
    public func getAllRecords(where query: String) async throws -> [Ref<Class>: Class.Record] {
        try await caller.invoke("\(Class.className).get_all_records_where", [query.wire])
    }
}

extension CreatableCalls {
    /// Makes an object.
    public func create(_ record: Class.Creation) async throws -> Ref<Class> {
        try await caller.invoke("\(Class.className).create", [record.wire])
    }

    /// Starts making an object and answers with the task.
    public func asyncCreate(_ record: Class.Creation) async throws -> XenTaskHandle<Ref<Class>> {
        try await caller.launch("\(Class.className).create", [record.wire])
    }

    /// Removes an object.
    public func destroy(_ object: Ref<Class>) async throws {
        try await caller.perform("\(Class.className).destroy", [object.wire])
    }

    /// Starts removing an object and answers with the task.
    public func asyncDestroy(_ object: Ref<Class>) async throws -> XenTaskHandle<NoValue> {
        try await caller.launch("\(Class.className).destroy", [object.wire])
    }
}
