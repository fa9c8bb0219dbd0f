import APITypes
import PoolDatabase

/// The messages of class `subject`: who may use the pool, and with which roles. A change of somebody's roles ends their
/// sessions: what they may do is decided when they log in.
struct SubjectMessages: Sendable {
    let database: PoolDatabase
    let sessions: Sessions
    let roles: RoleTable

    func register(in messages: inout MessageTable) {
        messages.on("subject.create") { [database] _, arguments in
            let record = arguments.values[0]
            let identifier = record["subject_identifier"].flatMap(String.init(api:)) ?? ""
            guard !identifier.isEmpty, identifier != "root" else {
                throw APIError("INVALID_VALUE", "subject_identifier", identifier)
            }
            let ref = Ref<Subject>.new()
            try await database.transaction { transaction in
                guard Self.find(identifier, in: transaction) == nil else { throw APIError("SUBJECT_ALREADY_EXISTS") }
                transaction.insert(Subject.self, ref: ref) { row in
                    row[Subject.subjectIdentifier] = identifier
                    row[Subject.otherConfig] =
                        record["other_config"].flatMap([String: String].init(api:)) ?? [:]
                    // Nothing may be done before a role is given.
                    row[Subject.roles] = []
                }
            }
            return ref.apiValue
        }
        messages.on("subject.destroy") { [database, sessions] _, arguments in
            let ref: Ref<Subject> = try arguments.get(0)
            let identifier = try await database.transaction { transaction in
                let row = try transaction.require(ref)
                transaction.delete(ref)
                return row[Subject.subjectIdentifier]
            }
            try await sessions.end(subject: identifier)
            return .void
        }
        messages.on("subject.add_to_roles") { _, arguments in
            try await change(arguments) { roles, role in
                guard !roles.contains(role) else { throw APIError("ROLE_ALREADY_EXISTS") }
                roles.append(role)
            }
        }
        messages.on("subject.remove_from_roles") { _, arguments in
            try await change(arguments) { roles, role in
                guard roles.contains(role) else { throw APIError("ROLE_NOT_FOUND") }
                roles.removeAll { $0 == role }
            }
        }
        messages.on("subject.get_permissions_name_label") { [database, roles] _, arguments in
            let ref: Ref<Subject> = try arguments.get(0)
            let row = try database.read { try $0.require(ref) }
            guard let strongest = roles.strongest(row[Subject.roles]) else { return .set([]) }
            return roles.permissionNames(of: strongest)
        }
    }

    private func change(
        _ arguments: Arguments, _ edit: (inout [Ref<Role>], Ref<Role>) throws -> Void
    ) async throws -> APIValue {
        let (ref, role): (Ref<Subject>, Ref<Role>) = (try arguments.get(0), try arguments.get(1))
        let identifier = try await database.transaction { transaction in
            let row = try transaction.require(ref)
            // Leaves and the role of hosts are not for people.
            guard roles.entry(ref: role.opaque)?.basic != nil else { throw APIError("ROLE_NOT_FOUND") }
            var held = row[Subject.roles]
            try edit(&held, role)
            try transaction.set(ref, Subject.roles, held)
            return row[Subject.subjectIdentifier]
        }
        try await sessions.end(subject: identifier)
        return .void
    }

    /// The subject of an account.
    static func find(_ identifier: String, in reader: any DatabaseReader) -> Row? {
        reader.rows(Subject.self) { $0[Subject.subjectIdentifier] == identifier }.first
    }
}
