/// Whose call a move belongs to, so that a toolstack that was restarted goes on with it under the same task: whoever waits
/// for that task learns how the move ends, sees how far it is, and may cancel it. Stored with each disk of the call.
public struct MoveCall: Codable, Hashable, Sendable {
    /// The task's reference and uuid, and the message that it stands for.
    public let task: String
    public let taskUUID: String
    public let name: String
    /// Subject identifier of the task's owner; empty: the local superuser.
    public let owner: String
    /// When the call came, microseconds of the epoch: those that wait keep their places in the line.
    public let time: Int64
    /// The VM whose disks move, which is what the call answers; nil: it answers the new disk.
    public let machine: String?
    /// The place of this disk among those of the call.
    public var index = 0

    public init(task: String, taskUUID: String, name: String, owner: String, time: Int64, machine: String?) {
        self.task = task
        self.taskUUID = taskUUID
        self.name = name
        self.owner = owner
        self.time = time
        self.machine = machine
    }
}
