public import APITypes
public import PoolDatabase

/// Who is logged in: rows of class `session`, which live in memory only. Usable from anywhere.
public final class Sessions: Sendable {
    private let database: PoolDatabase
    private let host: Ref<Host>
    private let failureDelay: Duration

    /// A session that nobody used for so long is over. Seconds.
    static let inactivityLimit: Int64 = 86400
    /// How exact `last_active` is. Seconds.
    static let activityStep: Int64 = 600
    /// How many sessions an originator may have, and how many root may have without one.
    static let mostPerOriginator = 500
    static let mostWithoutOriginator = 400

    init(database: PoolDatabase, host: Ref<Host>, failureDelay: Duration) {
        self.database = database
        self.host = host
        self.failureDelay = failureDelay
    }

    /// A new session, or SESSION_AUTHENTICATION_FAILED [user, text] after a pause. On the local socket the caller is
    /// the superuser already and no password is looked at.
    public func login(
        user: String, password: String, originator: String, client: ClientInfo
    ) async throws -> Ref<Session> {
        if !client.isLocalSocket {
            guard await RootCredentials(database: database).admit(user: user, password: password) else {
                try? await Task.sleep(for: failureDelay)
                throw APIError("SESSION_AUTHENTICATION_FAILED", user, "the user name or the password is wrong")
            }
        }
        let name = user.isEmpty ? "root" : user
        let ref = Ref<Session>.new()
        let time = WallClock.seconds
        try await database.transaction { transaction in
            Self.makeRoom(for: originator, in: transaction, at: time)
            transaction.insert(Session.self, ref: ref) { row in
                row[Session.thisHost] = host
                row[Session.isLocalSuperuser] = true
                row[Session.lastActive] = APIDate(seconds: time)
                row[Session.validationTime] = APIDate(seconds: time)
                row[Session.authUserName] = name
                row[Session.originator] = originator
            }
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

    /// Whether the session is still there; cheap, and does not count as activity.
    func exists(_ ref: Ref<Session>) -> Bool { database.read { $0.row(ref) != nil } }

    /// Ends a session. Calls of it that wait for events fail.
    public func logout(_ ref: Ref<Session>) async throws {
        try await database.transaction { $0.delete(ref) }
    }

    /// Removes what expired, and the longest idle sessions of the same originator when there are too many. Sessions
    /// with unfinished tasks are spared.
    private static func makeRoom(for originator: String, in transaction: Transaction, at time: Int64) {
        let busy = Set(
            transaction.rows(XenTask.self) { $0[XenTask.status] == .pending }.map { $0[XenTask.session].opaque })
        var same: [Row] = []
        for row in transaction.rows(Session.self) {
            if time - row[Session.lastActive].seconds > inactivityLimit {
                transaction.delete(row.typedRef(Session.self))
            } else if row[Session.originator] == originator {
                same.append(row)
            }
        }
        let most = originator.isEmpty ? mostWithoutOriginator : mostPerOriginator
        guard same.count >= most else { return }
        same.sort { $0[Session.lastActive].seconds < $1[Session.lastActive].seconds }
        for row in same.filter({ !busy.contains($0.ref) }).prefix(same.count - most + 1) {
            transaction.delete(row.typedRef(Session.self))
        }
    }
}
