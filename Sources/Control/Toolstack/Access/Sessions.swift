public import APITypes
import DataModel
public import PoolDatabase
import Synchronization

/// Who is logged in: rows of class `session`, which live in memory only. Usable from anywhere.
public final class Sessions: Sendable {
    private let database: PoolDatabase
    private let host: Ref<Host>
    let authenticator: Authenticator
    /// What each session may do, decided at log-in.
    private let callers = Mutex<[String: Principal]>([:])

    /// A session that nobody used for so long is over. Seconds.
    static let inactivityLimit: Int64 = 86400
    /// How exact `last_active` is. Seconds.
    static let activityStep: Int64 = 600

    init(database: PoolDatabase, host: Ref<Host>, authenticator: Authenticator) {
        self.database = database
        self.host = host
        self.authenticator = authenticator
    }

    /// A new session, or SESSION_AUTHENTICATION_FAILED [user, text] after a pause, SESSION_AUTHORIZATION_FAILED [user,
    /// text], TOO_BUSY. On the local socket the caller is the superuser already and no password is looked at.
    public func login(
        user: String, password: String, originator: String, client: ClientInfo
    ) async throws -> Ref<Session> {
        guard !client.isLocalSocket else {
            return try await open(.superuser(name: user.isEmpty ? "root" : user), originator: originator)
        }
        return try await open(try await authenticator.admit(user: user, password: password), originator: originator)
    }

    /// A session of somebody who proved who they are.
    func open(_ account: Account, originator: String) async throws -> Ref<Session> {
        let ref = Ref<Session>.new()
        let time = WallClock.seconds
        let caller = Principal(account)
        // Before the row: whoever sees the row finds its rights.
        callers.withLock { $0[ref.opaque] = caller }
        do {
            let gone = try await database.transaction { transaction in
                let gone = SessionLimits.makeRoom(for: account, originator: originator, in: transaction, at: time)
                transaction.insert(Session.self, ref: ref) { row in
                    row[Session.thisHost] = host
                    row[Session.lastActive] = APIDate(seconds: time)
                    row[Session.validationTime] = APIDate(seconds: time)
                    row[Session.authUserName] = caller.userName
                    row[Session.originator] = originator
                    switch account {
                    case .superuser: row[Session.isLocalSuperuser] = true
                    case .user(let user):
                        row[Session.thisUser] = user.user
                        row[Session.subject] = user.subject
                        row[Session.authUserSid] = user.subjectIdentifier
                        row[field: Session.rbacPermissions.name] = RoleTable.shared.permissionNames(of: user.role)
                    }
                }
                return gone
            }
            forget(gone)
        } catch {
            forget([ref.opaque])
            throw error
        }
        return ref
    }

    /// The row of a session that is in force, or SESSION_INVALID [ref].
    @discardableResult
    public func require(_ ref: Ref<Session>) async throws -> Row {
        guard let row = database.read({ $0.row(ref) }) else { throw APIError("SESSION_INVALID", ref.opaque) }
        let idle = WallClock.seconds - row[Session.lastActive].seconds
        if idle > Self.inactivityLimit {
            try await logout(ref)
            throw APIError("SESSION_INVALID", ref.opaque)
        }
        if idle >= Self.activityStep {
            let time = APIDate(seconds: WallClock.seconds)
            try await database.transaction { transaction in
                guard transaction.row(ref) != nil else { throw APIError("SESSION_INVALID", ref.opaque) }
                try transaction.set(ref, Session.lastActive, time)
            }
        }
        return row
    }

    /// Whether the session was used so lately that `require` would only return its row.
    static func isFresh(_ row: Row) -> Bool {
        WallClock.seconds - row[Session.lastActive].seconds < activityStep
    }

    /// Who the session belongs to, or SESSION_INVALID [ref].
    public func caller(_ ref: Ref<Session>) async throws -> Principal {
        try caller(ref, try await require(ref))
    }

    /// The same for a row that `require` gave.
    func caller(_ ref: Ref<Session>, _ row: Row) throws -> Principal {
        guard let caller = callers.withLock({ $0[ref.opaque] }) else { throw APIError("SESSION_INVALID", ref.opaque) }
        return caller
    }

    /// Whether the session is still there; cheap, and does not count as activity.
    public func exists(_ ref: Ref<Session>) -> Bool { database.read { $0.row(ref) != nil } }

    /// Ends a session. Calls of it that wait for events fail.
    public func logout(_ ref: Ref<Session>) async throws {
        try await database.transaction { $0.delete(ref) }
        forget([ref.opaque])
    }

    /// Ends the sessions of a subject, except one.
    func end(subject identifier: String, except: Ref<Session> = .null) async throws {
        guard !identifier.isEmpty else { return }
        try await end { $0[Session.authUserSid] == identifier && $0.ref != except.opaque }
    }

    /// Ends the sessions of one of the pool's own users.
    func end(user: Ref<User>) async throws {
        guard !user.isNull else { return }
        try await end { $0[Session.thisUser] == user }
    }

    /// The subject identifiers of those who are logged in, each once, without the superuser.
    func subjectIdentifiers() -> [String] {
        let all = database.read { $0.rows(Session.self).map { $0[Session.authUserSid] } }
        return Set(all).subtracting([""]).sorted()
    }

    private func end(_ matches: (Row) -> Bool) async throws {
        let gone = try await database.transaction { transaction in
            let rows = transaction.rows(Session.self, where: matches)
            for row in rows { transaction.delete(row.typedRef(Session.self)) }
            return rows.map(\.ref)
        }
        forget(gone)
    }

    private func forget(_ refs: [String]) {
        guard !refs.isEmpty else { return }
        callers.withLock { for ref in refs { $0[ref] = nil } }
    }
}

extension Principal {
    fileprivate init(_ account: Account) {
        switch account {
        case .superuser(let name): self.init(rights: .everything, userName: name)
        case .user(let user):
            self.init(rights: .role(user.role), userName: user.name, subjectIdentifier: user.subjectIdentifier)
        }
    }
}
