// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `DR_task`.
public struct DRTaskRecord: XenRecord {
    public var uuid: String
    public var introducedSRs: [Ref<SR>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "DR_task")
        uuid = try record.field("uuid")
        introducedSRs = try record.field("introduced_SRs")
    }
}

extension DRTask: RecordClass { public typealias Record = DRTaskRecord }

/// The messages of the class `DR_task`.
public struct DRTaskCalls: ObjectCalls, ListingCalls {
    public typealias Class = DRTask
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `DR_task.create`.
    ///
    /// Since boston. Role: pool-operator.
    public func create(type: String, deviceConfig: [String: String], whitelist: [String]) async throws -> Ref<DRTask> {
        try await self.caller.invoke("DR_task.create", [type.wire, deviceConfig.wire, whitelist.wire])
    }

    /// Starts `DR_task.create` and answers with its task.
    public func asyncCreate(type: String, deviceConfig: [String: String], whitelist: [String]) async throws -> XenTaskHandle<Ref<DRTask>> {
        try await self.caller.launch("DR_task.create", [type.wire, deviceConfig.wire, whitelist.wire])
    }

    /// Calls `DR_task.destroy`.
    ///
    /// Since boston. Role: pool-operator.
    public func destroy(_ drTask: Ref<DRTask>) async throws {
        try await self.caller.perform("DR_task.destroy", [drTask.wire])
    }

    /// Starts `DR_task.destroy` and answers with its task.
    public func asyncDestroy(_ drTask: Ref<DRTask>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("DR_task.destroy", [drTask.wire])
    }
}
