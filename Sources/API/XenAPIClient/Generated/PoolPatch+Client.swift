// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `pool_patch`.
public struct PoolPatchRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var version: String
    public var size: Int64
    public var poolApplied: Bool
    public var hostPatches: [Ref<HostPatch>]
    public var afterApplyGuidance: [Open<AfterApplyGuidance>]
    public var poolUpdate: Ref<PoolUpdate>
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "pool_patch")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        version = try record.field("version")
        size = try record.field("size")
        poolApplied = try record.field("pool_applied")
        hostPatches = try record.field("host_patches")
        afterApplyGuidance = try record.field("after_apply_guidance")
        poolUpdate = try record.field("pool_update")
        otherConfig = try record.field("other_config")
    }
}

extension PoolPatch: RecordClass { public typealias Record = PoolPatchRecord }

/// The messages of the class `pool_patch`.
public struct PoolPatchCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = PoolPatch
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `pool_patch.apply`.
    ///
    /// Since miami, deprecated in ely. Role: pool-operator.
    public func apply(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("pool_patch.apply", [poolPatch.wire, host.wire])
    }

    /// Starts `pool_patch.apply` and answers with its task.
    public func asyncApply(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool_patch.apply", [poolPatch.wire, host.wire])
    }

    /// Calls `pool_patch.pool_apply`.
    ///
    /// Since miami, deprecated in ely. Role: pool-operator.
    public func poolApply(_ poolPatch: Ref<PoolPatch>) async throws {
        try await self.caller.perform("pool_patch.pool_apply", [poolPatch.wire])
    }

    /// Starts `pool_patch.pool_apply` and answers with its task.
    public func asyncPoolApply(_ poolPatch: Ref<PoolPatch>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_patch.pool_apply", [poolPatch.wire])
    }

    /// Calls `pool_patch.precheck`.
    ///
    /// Since miami, deprecated in ely. Role: pool-operator.
    public func precheck(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws -> String {
        try await self.caller.invoke("pool_patch.precheck", [poolPatch.wire, host.wire])
    }

    /// Starts `pool_patch.precheck` and answers with its task.
    public func asyncPrecheck(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool_patch.precheck", [poolPatch.wire, host.wire])
    }

    /// Calls `pool_patch.clean`.
    ///
    /// Since miami, deprecated in ely. Role: pool-operator.
    public func clean(_ poolPatch: Ref<PoolPatch>) async throws {
        try await self.caller.perform("pool_patch.clean", [poolPatch.wire])
    }

    /// Starts `pool_patch.clean` and answers with its task.
    public func asyncClean(_ poolPatch: Ref<PoolPatch>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_patch.clean", [poolPatch.wire])
    }

    /// Calls `pool_patch.pool_clean`.
    ///
    /// Since tampa, deprecated in ely. Role: pool-operator.
    public func poolClean(_ poolPatch: Ref<PoolPatch>) async throws {
        try await self.caller.perform("pool_patch.pool_clean", [poolPatch.wire])
    }

    /// Starts `pool_patch.pool_clean` and answers with its task.
    public func asyncPoolClean(_ poolPatch: Ref<PoolPatch>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_patch.pool_clean", [poolPatch.wire])
    }

    /// Calls `pool_patch.destroy`.
    ///
    /// Since miami, deprecated in ely. Role: pool-operator.
    public func destroy(_ poolPatch: Ref<PoolPatch>) async throws {
        try await self.caller.perform("pool_patch.destroy", [poolPatch.wire])
    }

    /// Starts `pool_patch.destroy` and answers with its task.
    public func asyncDestroy(_ poolPatch: Ref<PoolPatch>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_patch.destroy", [poolPatch.wire])
    }

    /// Calls `pool_patch.clean_on_host`.
    ///
    /// Since tampa, deprecated in ely. Role: pool-operator.
    public func cleanOnHost(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws {
        try await self.caller.perform("pool_patch.clean_on_host", [poolPatch.wire, host.wire])
    }

    /// Starts `pool_patch.clean_on_host` and answers with its task.
    public func asyncCleanOnHost(_ poolPatch: Ref<PoolPatch>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_patch.clean_on_host", [poolPatch.wire, host.wire])
    }
}
