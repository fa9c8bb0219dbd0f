import APITypes
import PoolDatabase
import Synchronization

/// Whose tasks are whose, also after the owner's session ended. Users change their own tasks only; pool operators and
/// whoever is stronger, all. Tasks of the local superuser have no owner here.
final class TaskOwners: Sendable {
    /// Subject identifiers by task.
    private let owners = Mutex<[String: String]>([:])
    /// How many of the tasks that clients made are each owner's: subject identifiers.
    private let made = Mutex<(tasks: [String: String], counts: [String: Int])>(([:], [:]))
    /// A right that pool operators and those above them have, and nobody else.
    private static let operatorsRight = "host.disable"

    /// The task is there. `isClients`: a client made it.
    func note(_ task: Ref<XenTask>, _ owner: String, isClients: Bool = false) {
        guard !owner.isEmpty else { return }
        owners.withLock { $0[task.opaque] = owner }
        // Those who looked for what is gone may have missed it.
        if isClients { made.withLock { Self.count(task.opaque, owner, in: &$0) } }
    }

    func forget(_ task: Ref<XenTask>) {
        owners.withLock { $0[task.opaque] = nil }
        made.withLock { Self.forget(task.opaque, in: &$0) }
    }

    /// Forgets all but these tasks.
    func keep(_ tasks: Set<String>) {
        owners.withLock { $0 = $0.filter { tasks.contains($0.key) } }
        made.withLock { made in
            for task in made.tasks.keys where !tasks.contains(task) { Self.forget(task, in: &made) }
        }
    }

    /// Counts a task that a client is about to make, until it is forgotten. False when its owner has `limit` of them; those of
    /// the local superuser are not counted here.
    func admit(_ task: Ref<XenTask>, of owner: String, limit: Int) -> Bool {
        if owner.isEmpty { return true }
        return made.withLock { made in
            guard made.counts[owner, default: 0] < limit else { return false }
            Self.count(task.opaque, owner, in: &made)
            return true
        }
    }

    private static func count(
        _ task: String, _ owner: String, in made: inout (tasks: [String: String], counts: [String: Int])
    ) {
        if made.tasks.updateValue(owner, forKey: task) == nil { made.counts[owner, default: 0] += 1 }
    }

    private static func forget(_ task: String, in made: inout (tasks: [String: String], counts: [String: Int])) {
        guard let owner = made.tasks.removeValue(forKey: task) else { return }
        let left = made.counts[owner, default: 1] - 1
        made.counts[owner] = left > 0 ? left : nil
    }

    /// HANDLE_INVALID [task, ref] for a task that is not there, RBAC_PERMISSION_DENIED [permission, text] for one that the
    /// session may not change.
    func require(_ task: Ref<XenTask>, for session: Ref<Session>, in database: PoolDatabase) throws(APIError) {
        let (isThere, caller) = database.read { ($0.row(task) != nil, $0.row(session)) }
        guard isThere else { throw .handleInvalid(XenTask.className, task.opaque) }
        guard let caller else { throw APIError("SESSION_INVALID", session.opaque) }
        if caller[Session.isLocalSuperuser] || caller[Session.pool] { return }
        let identifier = caller[Session.authUserSid]
        if !identifier.isEmpty, owners.withLock({ $0[task.opaque] }) == identifier { return }
        guard caller[Session.rbacPermissions].contains(Self.operatorsRight) else {
            throw APIError(
                "RBAC_PERMISSION_DENIED", "task.destroy/any",
                "the task \(task.opaque) is another user's: pool operators may change it")
        }
    }
}
