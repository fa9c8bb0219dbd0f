import APITypes
import PoolDatabase
import StorageMotion

extension MoveCall {
    /// What is stored of a call, so that its task outlives the toolstack; `machine`: whose disks move, where it moves a VM's. Nil for
    /// a call without a task.
    init?(_ call: CallContext, machine: Ref<VM>?, in database: PoolDatabase) {
        let (task, session) = database.read { ($0.row(call.task), $0.row(call.session)) }
        guard let task else { return nil }
        self.init(
            task: call.task.opaque, taskUUID: task[XenTask.uuid], name: task[XenTask.nameLabel],
            owner: session?[Session.authUserSid] ?? "", time: call.time, machine: machine?.opaque)
    }
}

extension Tasks {
    /// The task of a move that an earlier toolstack had begun.
    func restore(
        _ call: MoveCall, isCancellable: Bool, entries: [String: String] = [:]
    ) async throws -> RunningTask {
        try await restore(
            Ref(call.task), uuid: call.taskUUID, name: call.name, owner: call.owner, began: call.time / 1_000_000,
            isCancellable: isCancellable, entries: entries)
    }
}
