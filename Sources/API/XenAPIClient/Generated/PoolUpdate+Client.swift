// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `pool_update`.
public struct PoolUpdateRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var version: String
    public var installationSize: Int64
    public var key: String
    public var afterApplyGuidance: [Open<UpdateAfterApplyGuidance>]
    public var vdi: Ref<VDI>
    public var hosts: [Ref<Host>]
    public var otherConfig: [String: String]?
    public var enforceHomogeneity: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "pool_update")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        version = try record.field("version")
        installationSize = try record.field("installation_size")
        key = try record.field("key")
        afterApplyGuidance = try record.field("after_apply_guidance")
        vdi = try record.field("vdi")
        hosts = try record.field("hosts")
        otherConfig = try record.optional("other_config")
        enforceHomogeneity = try record.optional("enforce_homogeneity")
    }
}

extension PoolUpdate: RecordClass { public typealias Record = PoolUpdateRecord }

/// The messages of the class `pool_update`.
public struct PoolUpdateCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = PoolUpdate
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `pool_update.introduce`.
    ///
    /// Since ely. Role: pool-operator.
    public func introduce(vdi: Ref<VDI>) async throws -> Ref<PoolUpdate> {
        try await self.caller.invoke("pool_update.introduce", [vdi.wire])
    }

    /// Starts `pool_update.introduce` and answers with its task.
    public func asyncIntroduce(vdi: Ref<VDI>) async throws -> XenTaskHandle<Ref<PoolUpdate>> {
        try await self.caller.launch("pool_update.introduce", [vdi.wire])
    }

    /// Calls `pool_update.precheck`.
    ///
    /// Since ely. Role: pool-operator.
    public func precheck(_ poolUpdate: Ref<PoolUpdate>, host: Ref<Host>) async throws -> Open<LivepatchStatus> {
        try await self.caller.invoke("pool_update.precheck", [poolUpdate.wire, host.wire])
    }

    /// Starts `pool_update.precheck` and answers with its task.
    public func asyncPrecheck(_ poolUpdate: Ref<PoolUpdate>, host: Ref<Host>) async throws -> XenTaskHandle<Open<LivepatchStatus>> {
        try await self.caller.launch("pool_update.precheck", [poolUpdate.wire, host.wire])
    }

    /// Calls `pool_update.apply`.
    ///
    /// Since ely. Role: pool-operator.
    public func apply(_ poolUpdate: Ref<PoolUpdate>, host: Ref<Host>) async throws {
        try await self.caller.perform("pool_update.apply", [poolUpdate.wire, host.wire])
    }

    /// Starts `pool_update.apply` and answers with its task.
    public func asyncApply(_ poolUpdate: Ref<PoolUpdate>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.apply", [poolUpdate.wire, host.wire])
    }

    /// Calls `pool_update.pool_apply`.
    ///
    /// Since ely. Role: pool-operator.
    public func poolApply(_ poolUpdate: Ref<PoolUpdate>) async throws {
        try await self.caller.perform("pool_update.pool_apply", [poolUpdate.wire])
    }

    /// Starts `pool_update.pool_apply` and answers with its task.
    public func asyncPoolApply(_ poolUpdate: Ref<PoolUpdate>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.pool_apply", [poolUpdate.wire])
    }

    /// Calls `pool_update.pool_clean`.
    ///
    /// Since ely. Role: pool-operator.
    public func poolClean(_ poolUpdate: Ref<PoolUpdate>) async throws {
        try await self.caller.perform("pool_update.pool_clean", [poolUpdate.wire])
    }

    /// Starts `pool_update.pool_clean` and answers with its task.
    public func asyncPoolClean(_ poolUpdate: Ref<PoolUpdate>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.pool_clean", [poolUpdate.wire])
    }

    /// Calls `pool_update.destroy`.
    ///
    /// Since ely. Role: pool-operator.
    public func destroy(_ poolUpdate: Ref<PoolUpdate>) async throws {
        try await self.caller.perform("pool_update.destroy", [poolUpdate.wire])
    }

    /// Starts `pool_update.destroy` and answers with its task.
    public func asyncDestroy(_ poolUpdate: Ref<PoolUpdate>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.destroy", [poolUpdate.wire])
    }

    /// Calls `pool_update.attach`.
    ///
    /// Since ely. Role: pool-operator.
    public func attach(_ poolUpdate: Ref<PoolUpdate>, useLocalhostProxy: Bool = false) async throws -> String {
        try await self.caller.invoke("pool_update.attach", [poolUpdate.wire, useLocalhostProxy.wire], defaults: [.bool(false)])
    }

    /// Starts `pool_update.attach` and answers with its task.
    public func asyncAttach(_ poolUpdate: Ref<PoolUpdate>, useLocalhostProxy: Bool = false) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("pool_update.attach", [poolUpdate.wire, useLocalhostProxy.wire], defaults: [.bool(false)])
    }

    /// Calls `pool_update.detach`.
    ///
    /// Since ely. Role: pool-operator.
    public func detach(_ poolUpdate: Ref<PoolUpdate>) async throws {
        try await self.caller.perform("pool_update.detach", [poolUpdate.wire])
    }

    /// Starts `pool_update.detach` and answers with its task.
    public func asyncDetach(_ poolUpdate: Ref<PoolUpdate>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.detach", [poolUpdate.wire])
    }

    /// Calls `pool_update.resync_host`.
    ///
    /// Since ely. Role: pool-operator.
    public func resyncHost(host: Ref<Host>) async throws {
        try await self.caller.perform("pool_update.resync_host", [host.wire])
    }

    /// Starts `pool_update.resync_host` and answers with its task.
    public func asyncResyncHost(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("pool_update.resync_host", [host.wire])
    }
}
