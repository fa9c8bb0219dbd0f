// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `tunnel`.
public struct TunnelRecord: XenRecord {
    public var uuid: String
    public var accessPIF: Ref<PIF>
    public var transportPIF: Ref<PIF>
    public var status: [String: String]
    public var otherConfig: [String: String]
    public var `protocol`: Open<TunnelProtocol>?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "tunnel")
        uuid = try record.field("uuid")
        accessPIF = try record.field("access_PIF")
        transportPIF = try record.field("transport_PIF")
        status = try record.field("status")
        otherConfig = try record.field("other_config")
        `protocol` = try record.optional("protocol")
    }
}

extension Tunnel: RecordClass { public typealias Record = TunnelRecord }

/// The messages of the class `tunnel`.
public struct TunnelCalls: ObjectCalls, ListingCalls {
    public typealias Class = Tunnel
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `tunnel.create`.
    ///
    /// Since cowley. Role: pool-operator. Errors: `OPENVSWITCH_NOT_ACTIVE`, `TRANSPORT_PIF_NOT_CONFIGURED`, `IS_TUNNEL_ACCESS_PIF`.
    public func create(transportPIF: Ref<PIF>, network: Ref<Network>, `protocol`: TunnelProtocol = .gre) async throws -> Ref<Tunnel> {
        try await self.caller.invoke("tunnel.create", [transportPIF.wire, network.wire, `protocol`.wire], defaults: [.string("gre")])
    }

    /// Starts `tunnel.create` and answers with its task.
    public func asyncCreate(transportPIF: Ref<PIF>, network: Ref<Network>, `protocol`: TunnelProtocol = .gre) async throws -> XenTaskHandle<Ref<Tunnel>> {
        try await self.caller.launch("tunnel.create", [transportPIF.wire, network.wire, `protocol`.wire], defaults: [.string("gre")])
    }

    /// Calls `tunnel.destroy`.
    ///
    /// Since cowley. Role: pool-operator.
    public func destroy(_ tunnel: Ref<Tunnel>) async throws {
        try await self.caller.perform("tunnel.destroy", [tunnel.wire])
    }

    /// Starts `tunnel.destroy` and answers with its task.
    public func asyncDestroy(_ tunnel: Ref<Tunnel>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("tunnel.destroy", [tunnel.wire])
    }
}
