import APITypes
import DataModel
import PoolDatabase

/// The messages of class `user` that do more than read: passwords go in and never come out, and who lost an account or its
/// password is logged out.
struct UserMessages: Sendable {
    let database: PoolDatabase
    let sessions: Sessions

    func register(in messages: inout MessageTable) {
        let users = LocalUsers(database: database)
        messages.on("user.create") { _, arguments in
            let record = arguments.values[0]
            return try await users.create(
                name: Self.text(record["short_name"]), fullName: Self.text(record["fullname"]),
                configuration: record["other_config"].flatMap([String: String].init(api:)) ?? [:]
            ).apiValue
        }
        messages.on("user.destroy") { _, arguments in
            let ref: Ref<User> = try arguments.get(0)
            try await users.destroy(ref)
            try await sessions.end(user: ref)
            return .void
        }
        messages.on("user.set_other_config") { _, arguments in
            let (ref, configuration): (Ref<User>, [String: String]) = (try arguments.get(0), try arguments.get(1))
            try await users.configure(ref, configuration)
            if configuration[LocalUsers.passwordKey] != nil { try await sessions.end(user: ref) }
            return .void
        }
        for (name, origin) in Self.accessors {
            let stored = ImpliedMessages(database: database).handler(for: origin, of: User.className)
            messages.on(name) { context, arguments in
                let (ref, key): (Ref<User>, String) = (try arguments.get(0), try arguments.get(1))
                guard key == LocalUsers.passwordKey else { return try await stored?(context, arguments) ?? .void }
                try await users.setPassword(ref, arguments.values.count > 2 ? try arguments.get(2) : nil)
                try await sessions.end(user: ref)
                return .void
            }
        }
    }

    private static var accessors: [(String, MessageOrigin)] {
        guard let field = Datamodel.all.classNamed(User.className)?.field("other_config") else { return [] }
        return [
            ("user.add_to_other_config", .addToMap(field)), ("user.remove_from_other_config", .removeFromMap(field)),
        ]
    }

    private static func text(_ value: APIValue?) -> String { value.flatMap(String.init(api:)) ?? "" }
}
