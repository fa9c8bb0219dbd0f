// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PVS_proxy`.
public struct PVSProxyRecord: XenRecord {
    public var uuid: String
    public var site: Ref<PVSSite>
    public var vif: Ref<VIF>
    public var currentlyAttached: Bool
    public var status: Open<PVSProxyStatus>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PVS_proxy")
        uuid = try record.field("uuid")
        site = try record.field("site")
        vif = try record.field("VIF")
        currentlyAttached = try record.field("currently_attached")
        status = try record.field("status")
    }
}

extension PVSProxy: RecordClass { public typealias Record = PVSProxyRecord }

/// The messages of the class `PVS_proxy`.
public struct PVSProxyCalls: ObjectCalls, ListingCalls {
    public typealias Class = PVSProxy
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PVS_proxy.create`.
    ///
    /// Since ely. Role: pool-operator.
    public func create(site: Ref<PVSSite>, vif: Ref<VIF>) async throws -> Ref<PVSProxy> {
        try await self.caller.invoke("PVS_proxy.create", [site.wire, vif.wire])
    }

    /// Starts `PVS_proxy.create` and answers with its task.
    public func asyncCreate(site: Ref<PVSSite>, vif: Ref<VIF>) async throws -> XenTaskHandle<Ref<PVSProxy>> {
        try await self.caller.launch("PVS_proxy.create", [site.wire, vif.wire])
    }

    /// Calls `PVS_proxy.destroy`.
    ///
    /// Since ely. Role: pool-operator.
    public func destroy(_ pvsProxy: Ref<PVSProxy>) async throws {
        try await self.caller.perform("PVS_proxy.destroy", [pvsProxy.wire])
    }

    /// Starts `PVS_proxy.destroy` and answers with its task.
    public func asyncDestroy(_ pvsProxy: Ref<PVSProxy>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PVS_proxy.destroy", [pvsProxy.wire])
    }
}
