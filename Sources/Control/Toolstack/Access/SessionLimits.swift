import APITypes
import PoolDatabase

/// How many sessions there may be. Who opens one too many loses the one that was idle longest; sessions with unfinished
/// tasks are spared, those of the pool's users only as long as there are others to lose.
enum SessionLimits {
    static let mostPerOriginator = 500
    static let mostPerUser = 500
    static let mostOfRoot = 400

    /// Sessions that share a limit.
    private enum Group: Hashable {
        /// The superuser's, of a program that says its name.
        case originator(String)
        case root
        case user(String)
        case pool

        init(_ row: Row) {
            if row[Session.pool] {
                self = .pool
            } else if !row[Session.isLocalSuperuser] {
                self = .user(row[Session.authUserName])
            } else {
                self = Group(superuserWith: row[Session.originator])
            }
        }

        init(_ account: Account, originator: String) {
            switch account {
            case .superuser: self = Group(superuserWith: originator)
            case .user(let user): self = .user(user.name)
            }
        }

        private init(superuserWith originator: String) { self = originator.isEmpty ? .root : .originator(originator) }

        var limit: Int {
            switch self {
            case .originator: SessionLimits.mostPerOriginator
            case .user: SessionLimits.mostPerUser
            case .root, .pool: SessionLimits.mostOfRoot
            }
        }
    }

    /// Removes what expired, and what must go for one more session. Returns the references of what is gone.
    static func makeRoom(
        for account: Account, originator: String, in transaction: Transaction, at time: Int64
    ) -> [String] {
        let group = Group(account, originator: originator)
        var gone: [String] = []
        var same: [Row] = []
        for row in transaction.rows(Session.self) {
            if time - row[Session.lastActive].seconds > Sessions.inactivityLimit {
                gone.append(row.ref)
            } else if Group(row) == group {
                same.append(row)
            }
        }
        if same.count >= group.limit {
            let busy = Set(
                transaction.rows(XenTask.self) { $0[XenTask.status] == .pending }.map { $0[XenTask.session].opaque })
            same.sort { $0[Session.lastActive].seconds < $1[Session.lastActive].seconds }
            var losing = same.map(\.ref).filter { !busy.contains($0) }
            // Everybody may make tasks, and leave them unfinished.
            if case .user = group { losing += same.map(\.ref).filter(busy.contains) }
            gone += losing.prefix(same.count - group.limit + 1)
        }
        for ref in gone { transaction.delete(className: Session.className, ref: ref) }
        return gone
    }
}
