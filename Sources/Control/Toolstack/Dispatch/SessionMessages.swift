import APITypes
import PoolDatabase

extension Sessions {
    func register(in table: inout MessageTable, database: PoolDatabase) {
        table.on("session.login_with_password") { [self] context, arguments in
            let originator: String = try arguments.get(3)
            return try await login(
                user: try arguments.get(0), password: try arguments.get(1),
                originator: originator.isEmpty ? context.client.originator ?? "" : originator, client: context.client
            ).apiValue
        }
        table.on("session.slave_local_login_with_password") { [self] context, arguments in
            try await login(
                user: try arguments.get(0), password: try arguments.get(1), originator: "", client: context.client
            ).apiValue
        }
        for name in ["session.logout", "session.local_logout"] {
            table.on(name) { [self] context, _ in
                try await logout(context.session)
                return .void
            }
        }
        table.on("session.change_password") { context, arguments in
            let credentials = RootCredentials(database: database)
            // The superuser of the local socket need not know the old one.
            if !context.client.isLocalSocket {
                guard await credentials.admit(user: "root", password: try arguments.get(0)) else {
                    throw APIError("CHANGE_PASSWORD_REJECTED", "the old password is wrong")
                }
            }
            try await credentials.set(try arguments.get(1))
            return .void
        }
        table.on("session.get_all_subject_identifiers") { _, _ in .set([]) }
    }
}
