import APITypes
import PoolDatabase

extension Tasks {
    /// A task of an earlier run of the toolstack, under the reference and uuid that its callers know, with the operation
    /// that goes on behind it. Its session is gone; its owner is not. `began`: seconds of the epoch; `entries`: its
    /// `other_config` to begin with.
    func restore(
        _ ref: Ref<XenTask>, uuid: String, name: String, owner: String, began: Int64, isCancellable: Bool,
        entries: [String: String] = [:]
    ) async throws -> RunningTask {
        let facts = TaskOperationFacts(ref: ref.opaque, status: .pending, isCancellable: isCancellable)
        let task = register(ref)
        do {
            try await database.transaction { [host] transaction in
                transaction.insert(XenTask.self, ref: ref) { row in
                    row[XenTask.uuid] = uuid
                    row[XenTask.nameLabel] = name
                    row[XenTask.created] = APIDate(seconds: began)
                    row[XenTask.status] = .pending
                    row[XenTask.type] = "<none/>"
                    row[XenTask.residentOn] = host
                    row[XenTask.allowedOperations] = TaskOperationRules.allowed(facts)
                    row[XenTask.otherConfig] = entries
                }
            }
        } catch {
            unregister(ref)
            throw error
        }
        owners.note(ref, owner)
        sweepRegularly()
        return task
    }
}
