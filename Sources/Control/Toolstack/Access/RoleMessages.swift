import APITypes
import DataModel
import PoolDatabase

/// The messages of class `role`. Its objects are no rows of the database: they are the table.
struct RoleMessages: Sendable {
    let table: RoleTable
    let database: PoolDatabase

    func register(in messages: inout MessageTable) {
        registerReaders(in: &messages)
        messages.on("role.get_permissions") { [table] _, arguments in
            Self.refs(table.permissions(of: try entry(arguments)))
        }
        messages.on("role.get_permissions_name_label") { [table] _, arguments in
            .set(table.permissions(of: try entry(arguments)).map { .string($0.name) })
        }
        messages.on("role.get_by_permission") { [table] _, arguments in
            Self.refs(table.roles(with: try entry(arguments)))
        }
        messages.on("role.get_by_permission_name_label") { [table] _, arguments in
            let label: String = try arguments.get(0)
            return Self.refs(table.entry(name: label).map(table.roles) ?? [])
        }
    }

    private func registerReaders(in messages: inout MessageTable) {
        guard let declared = Datamodel.all.classNamed(Role.className) else { return }
        for field in declared.recordFields {
            messages.on("role.get_\(field.name)") { _, arguments in try entry(arguments)[field: field.name] ?? .void }
        }
        messages.on("role.get_record") { _, arguments in Self.record(try entry(arguments), declared) }
        messages.on("role.get_by_uuid") { [table] _, arguments in
            let uuid: String = try arguments.get(0)
            guard let found = table.entry(uuid: uuid) else { throw APIError.uuidInvalid(Role.className, uuid) }
            return .ref(found.ref)
        }
        messages.on("role.get_by_name_label") { [table] _, arguments in
            Self.refs(table.entry(name: try arguments.get(0)).map { [$0] } ?? [])
        }
        messages.on("role.get_all") { [table] _, _ in Self.refs(table.entries) }
        messages.on("role.get_all_records") { [table] _, _ in Self.records(table.entries, declared) }
        messages.on("role.get_all_where") { _, arguments in Self.refs(try matching(arguments)) }
        messages.on("role.get_all_records_where") { _, arguments in Self.records(try matching(arguments), declared) }
    }

    private func entry(_ arguments: Arguments) throws -> RoleEntry {
        let ref: Ref<Role> = try arguments.get(0)
        guard let entry = table.entry(ref: ref.opaque) else { throw APIError.handleInvalid(Role.className, ref.opaque) }
        return entry
    }

    private func matching(_ arguments: Arguments) throws -> [RoleEntry] {
        guard let schema = database.schema[Role.className] else { return [] }
        let query = try Query(try arguments.get(0), schema: schema)
        return table.entries.filter { entry in
            query.matches(ref: entry.ref) { entry[field: schema.fields[$0].name] ?? .void }
        }
    }

    private static func refs(_ entries: [RoleEntry]) -> APIValue { .set(entries.map { .ref($0.ref) }) }

    private static func record(_ entry: RoleEntry, _ declared: ClassDeclaration) -> APIValue {
        .record(declared.recordFields.map { APIMember($0.name, entry[field: $0.name] ?? .void) })
    }

    private static func records(_ entries: [RoleEntry], _ declared: ClassDeclaration) -> APIValue {
        .map(Dictionary(entries.map { ($0.ref, record($0, declared)) }) { first, _ in first })
    }
}
