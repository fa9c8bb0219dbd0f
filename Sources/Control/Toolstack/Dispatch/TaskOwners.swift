import APITypes
import PoolDatabase
import Synchronization

/// Whose tasks are whose, also after the owner's session ended. Users change their own tasks only; pool operators and
/// whoever is stronger, all. Tasks of the local superuser have no owner here.
final class TaskOwners: Sendable {
    /// Subject identifiers by task.
    private let owners = Mutex<[String: String]>([:])
    /// A right that pool operators and those above them have, and nobody else.
    private static let operatorsRight = "host.disable"

    func note(_ task: Ref<XenTask>, _ owner: String) {
        guard !owner.isEmpty else { return }
        owners.withLock { $0[task.opaque] = owner }
    }

    func forget(_ task: Ref<XenTask>) { owners.withLock { $0[task.opaque] = nil } }

    /// Forgets all but these tasks.
    func keep(_ tasks: Set<String>) { owners.withLock { $0 = $0.filter { tasks.contains($0.key) } } }

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
