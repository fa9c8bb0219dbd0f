import APITypes
import DataModel
import PoolDatabase

/// What the datamodel implies for every class: readers of objects, getters and setters of fields.
struct ImpliedMessages: Sendable {
    let database: PoolDatabase

    /// Nil for messages that need an implementation of their own.
    func handler(for message: MessageDeclaration) -> MessageHandler? {
        handler(for: message.origin, of: message.className)
    }

    /// What `origin` means on a class, also for a message that is declared by hand and does no more than that.
    func handler(for origin: MessageOrigin, of name: String) -> MessageHandler? {
        let database = database
        switch origin {
        case .custom, .create, .destroy: return nil
        case .getRecord: return { _, arguments in try Self.row(database, name, arguments).record }
        case .getField(let field):
            return { _, arguments in try Self.row(database, name, arguments)[field: field.name] }
        case .getByUUID:
            return { _, arguments in
                let uuid: String = try arguments.get(0)
                guard let row = database.read({ $0.row(className: name, uuid: uuid) }) else {
                    throw APIError.uuidInvalid(name, uuid)
                }
                return .ref(row.ref)
            }
        case .getByNameLabel:
            return { _, arguments in
                let label: String = try arguments.get(0)
                return Self.refs(database.read { $0.rows(className: name, nameLabel: label) })
            }
        case .getAll: return { _, _ in Self.refs(database.read { $0.rows(className: name) }) }
        case .getAllRecords: return { _, _ in Self.records(database.read { $0.rows(className: name) }) }
        case .getAllWhere:
            return { _, arguments in Self.refs(try await Self.matching(database, name, try arguments.get(0))) }
        case .getAllRecordsWhere:
            return { _, arguments in Self.records(try await Self.matching(database, name, try arguments.get(0))) }
        case .setField(let field):
            return Self.change(database, name, field) { _, _, arguments in arguments.values[1] }
        case .addToMap(let field):
            return Self.change(database, name, field) { old, ref, arguments throws(APIError) in
                guard case .map(var entries) = old, let key = Self.key(arguments.values[1]) else { return old }
                guard entries[key] == nil else {
                    throw APIError("MAP_DUPLICATE_KEY", name, field.columnName, ref, key)
                }
                entries[key] = arguments.values[2]
                return .map(entries)
            }
        case .removeFromMap(let field):
            return Self.change(database, name, field) { old, _, arguments in
                guard case .map(var entries) = old, let key = Self.key(arguments.values[1]) else { return old }
                entries[key] = nil
                return .map(entries)
            }
        case .addToSet(let field):
            return Self.change(database, name, field) { old, _, arguments in
                guard case .set(let values) = old, !values.contains(arguments.values[1]) else { return old }
                return .set(values + [arguments.values[1]])
            }
        case .removeFromSet(let field):
            return Self.change(database, name, field) { old, _, arguments in
                guard case .set(let values) = old else { return old }
                return .set(values.filter { $0 != arguments.values[1] })
            }
        }
    }

    private static func row(_ database: PoolDatabase, _ className: String, _ arguments: Arguments) throws -> Row {
        guard case .ref(let ref)? = arguments.values.first else { throw APIError.internalError("no reference") }
        guard let row = database.read({ $0.row(className: className, ref: ref) }) else {
            throw APIError.handleInvalid(className, ref)
        }
        return row
    }

    /// Replaces a field's value by what `edit` makes of the old one, the object's reference and the arguments.
    private static func change(
        _ database: PoolDatabase, _ className: String, _ field: FieldDeclaration,
        _ edit: @escaping @Sendable (APIValue, String, Arguments) throws(APIError) -> APIValue
    ) -> MessageHandler {
        { _, arguments in
            guard case .ref(let ref)? = arguments.values.first else { throw APIError.internalError("no reference") }
            try await database.transaction { transaction in
                guard let row = transaction.row(className: className, ref: ref) else {
                    throw APIError.handleInvalid(className, ref)
                }
                let value = try edit(row[field: field.name], ref, arguments)
                try transaction.update(className: className, ref: ref, field: field.name, value)
            }
            return .void
        }
    }

    private static func matching(
        _ database: PoolDatabase, _ className: String, _ text: String
    ) async throws -> [Row] {
        guard let schema = database.schema[className] else { return [] }
        return Array(try await Query(text, schema: schema).rows(in: database))
    }

    private static func key(_ value: APIValue) -> String? {
        switch value {
        case .string(let text), .ref(let text): text
        case .int(let number): String(number)
        default: nil
        }
    }

    private static func refs(_ rows: [Row]) -> APIValue { .set(rows.map { .ref($0.ref) }) }

    private static func records(_ rows: [Row]) -> APIValue {
        .map(Dictionary(rows.map { ($0.ref, $0.record) }) { first, _ in first })
    }
}
