// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `host_patch`.
public struct HostPatchRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var version: String
    public var host: Ref<Host>
    public var applied: Bool
    public var timestampApplied: APIDate
    public var size: Int64
    public var poolPatch: Ref<PoolPatch>
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "host_patch")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        version = try record.field("version")
        host = try record.field("host")
        applied = try record.field("applied")
        timestampApplied = try record.field("timestamp_applied")
        size = try record.field("size")
        poolPatch = try record.field("pool_patch")
        otherConfig = try record.field("other_config")
    }
}

extension HostPatch: RecordClass { public typealias Record = HostPatchRecord }

/// The messages of the class `host_patch`.
public struct HostPatchCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = HostPatch
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `host_patch.destroy`.
    ///
    /// Since rio, deprecated in miami. Role: pool-operator.
    public func destroy(_ hostPatch: Ref<HostPatch>) async throws {
        try await self.caller.perform("host_patch.destroy", [hostPatch.wire])
    }

    /// Starts `host_patch.destroy` and answers with its task.
    public func asyncDestroy(_ hostPatch: Ref<HostPatch>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host_patch.destroy", [hostPatch.wire])
    }

    /// Calls `host_patch.apply`.
    ///
    /// Since rio, deprecated in miami. Role: pool-operator.
    public func apply(_ hostPatch: Ref<HostPatch>) async throws -> String {
        try await self.caller.invoke("host_patch.apply", [hostPatch.wire])
    }

    /// Starts `host_patch.apply` and answers with its task.
    public func asyncApply(_ hostPatch: Ref<HostPatch>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("host_patch.apply", [hostPatch.wire])
    }
}
