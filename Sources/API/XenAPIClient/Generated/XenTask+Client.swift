// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `task`. An operation that is under way or has ended. It lives in memory.
public struct XenTaskRecord: XenRecord {
    /// Identifies the task.
    public var uuid: String
    /// The name of the call.
    public var nameLabel: String
    /// What the maker of the task wrote about it.
    public var nameDescription: String
    /// `cancel` while the operation can be stopped.
    public var allowedOperations: [Open<TaskAllowedOperations>]
    /// What was asked of the task itself, by the tasks that asked.
    public var currentOperations: [String: Open<TaskAllowedOperations>]
    /// When it began.
    public var created: APIDate
    /// When it ended; 1970 before that.
    public var finished: APIDate
    /// Whether it is pending, or how it ended.
    public var status: Open<TaskStatusType>
    /// The host that does the work.
    public var residentOn: Ref<Host>
    /// How far it is, from 0 to 1. It never goes back.
    public var progress: Double
    /// The kind of the result; not used.
    public var type: String
    /// The result as XML-RPC text, when it succeeded.
    public var result: String
    /// The error's code and parameters, when it failed.
    public var errorInfo: [String]
    /// For notes. Moves of disks write `phase` and numbers that begin with `bytes_` here.
    public var otherConfig: [String: String]
    /// The task that this one is a part of.
    public var subtaskOf: Ref<XenTask>
    /// The parts of this task.
    public var subtasks: [Ref<XenTask>]
    /// For the makers of the toolstack.
    public var backtrace: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "task")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        created = try record.field("created")
        finished = try record.field("finished")
        status = try record.field("status")
        residentOn = try record.field("resident_on")
        progress = try record.field("progress")
        type = try record.field("type")
        result = try record.field("result")
        errorInfo = try record.field("error_info")
        otherConfig = try record.field("other_config")
        subtaskOf = try record.field("subtask_of")
        subtasks = try record.field("subtasks")
        backtrace = try record.field("backtrace")
    }
}

extension XenTask: RecordClass { public typealias Record = XenTaskRecord }

/// The messages of the class `task`.
public struct XenTaskCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = XenTask
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Makes a task for an operation that the client drives, such as a transfer over HTTP.
    ///
    /// Since rio. Role: read-only.
    public func create(label: String, description: String) async throws -> Ref<XenTask> {
        try await self.caller.invoke("task.create", [label.wire, description.wire])
    }

    /// Forgets a task that has ended; one that runs goes when it is done.
    ///
    /// Since rio. Role: read-only.
    public func destroy(_ task: Ref<XenTask>) async throws {
        try await self.caller.perform("task.destroy", [task.wire])
    }

    /// Asks the operation to stop. Whether it did shows in the status.
    ///
    /// Since rio. Role: read-only. Errors: `OPERATION_NOT_ALLOWED`.
    public func cancel(_ task: Ref<XenTask>) async throws {
        try await self.caller.perform("task.cancel", [task.wire])
    }

    /// Starts `task.cancel` and answers with its task.
    public func asyncCancel(_ task: Ref<XenTask>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("task.cancel", [task.wire])
    }

    /// For tasks that a client made.
    ///
    /// Since falcon. Role: read-only.
    public func setStatus(_ task: Ref<XenTask>, value: TaskStatusType) async throws {
        try await self.caller.perform("task.set_status", [task.wire, value.wire])
    }

    /// For tasks that a client made.
    ///
    /// Since stockholm. Role: read-only.
    public func setProgress(_ task: Ref<XenTask>, value: Double) async throws {
        try await self.caller.perform("task.set_progress", [task.wire, value.wire])
    }

    /// For tasks that a client made.
    ///
    /// Since 21.3.0. Role: read-only.
    public func setResult(_ task: Ref<XenTask>, value: String) async throws {
        try await self.caller.perform("task.set_result", [task.wire, value.wire])
    }

    /// For tasks that a client made.
    ///
    /// Since 21.3.0. Role: read-only.
    public func setErrorInfo(_ task: Ref<XenTask>, value: [String]) async throws {
        try await self.caller.perform("task.set_error_info", [task.wire, value.wire])
    }

    /// Adds a note.
    ///
    /// Since 25.8.0. Role: read-only.
    public func addToOtherConfig(_ task: Ref<XenTask>, key: String, value: String) async throws {
        try await self.caller.perform("task.add_to_other_config", [task.wire, key.wire, value.wire])
    }

    /// Starts `task.add_to_other_config` and answers with its task.
    public func asyncAddToOtherConfig(_ task: Ref<XenTask>, key: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("task.add_to_other_config", [task.wire, key.wire, value.wire])
    }

    /// Removes a note.
    ///
    /// Since 25.8.0. Role: read-only.
    public func removeFromOtherConfig(_ task: Ref<XenTask>, key: String) async throws {
        try await self.caller.perform("task.remove_from_other_config", [task.wire, key.wire])
    }

    /// Starts `task.remove_from_other_config` and answers with its task.
    public func asyncRemoveFromOtherConfig(_ task: Ref<XenTask>, key: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("task.remove_from_other_config", [task.wire, key.wire])
    }

    /// Replaces the notes.
    ///
    /// Since 25.8.0. Role: read-only.
    public func setOtherConfig(_ task: Ref<XenTask>, value: [String: String]) async throws {
        try await self.caller.perform("task.set_other_config", [task.wire, value.wire])
    }

    /// Starts `task.set_other_config` and answers with its task.
    public func asyncSetOtherConfig(_ task: Ref<XenTask>, value: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("task.set_other_config", [task.wire, value.wire])
    }
}
