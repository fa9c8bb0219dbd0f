import APITypes
import PoolDatabase

extension Sessions {
    func register(in table: inout MessageTable, database: PoolDatabase) {
        registerLogins(in: &table)
        for name in ["session.logout", "session.local_logout"] {
            table.on(name) { [self] context, _ in
                try await logout(context.session)
                return .void
            }
        }
        // The datamodel lets only the superuser in here: it is root's password.
        table.on("session.change_password") { context, arguments in
            let credentials = RootCredentials(database: database)
            // The superuser of the local socket need not know the old one.
            if !context.client.isLocalSocket {
                guard try await credentials.admit(password: try arguments.get(0)) else {
                    throw APIError("CHANGE_PASSWORD_REJECTED", "the old password is wrong")
                }
            }
            try await credentials.set(try arguments.get(1))
            return .void
        }
        table.on("session.get_all_subject_identifiers") { [self] _, _ in
            .set(subjectIdentifiers().map(APIValue.string))
        }
        table.on("session.logout_subject_identifier") { [self] context, arguments in
            try await end(subject: try arguments.get(0), except: context.session)
            return .void
        }
    }

    private func registerLogins(in table: inout MessageTable) {
        table.on("session.login_with_password") { [self] context, arguments in
            let originator: String = try arguments.get(3)
            return try await login(
                user: try arguments.get(0), password: try arguments.get(1),
                originator: originator.isEmpty ? context.client.originator ?? "" : originator, client: context.client
            ).apiValue
        }
        // For emergencies, when no coordinator can be asked: root, and nobody else.
        table.on("session.slave_local_login_with_password") { [self] context, arguments in
            let user: String = try arguments.get(0)
            if !context.client.isLocalSocket {
                try await authenticator.admitRoot(user: user, password: try arguments.get(1))
            }
            return try await open(.superuser(name: "root"), originator: "").apiValue
        }
        // A pool of one host has no secret that another host could know.
        for name in ["session.slave_login", "session.slave_local_login"] {
            table.on(name) { [self] _, _ in
                try await authenticator.refuse("", "this pool has one host and no secret between hosts")
            }
        }
    }
}
