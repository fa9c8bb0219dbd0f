// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VLAN`.
public struct VLANRecord: XenRecord {
    public var uuid: String
    public var taggedPIF: Ref<PIF>
    public var untaggedPIF: Ref<PIF>
    public var tag: Int64
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VLAN")
        uuid = try record.field("uuid")
        taggedPIF = try record.field("tagged_PIF")
        untaggedPIF = try record.field("untagged_PIF")
        tag = try record.field("tag")
        otherConfig = try record.field("other_config")
    }
}

extension VLAN: RecordClass { public typealias Record = VLANRecord }

/// The messages of the class `VLAN`.
public struct VLANCalls: ObjectCalls, ListingCalls {
    public typealias Class = VLAN
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VLAN.pool_introduce`.
    ///
    /// Since inverness. Role: pool-operator.
    public func poolIntroduce(taggedPIF: Ref<PIF>, untaggedPIF: Ref<PIF>, tag: Int64, otherConfig: [String: String]) async throws -> Ref<VLAN> {
        try await self.caller.invoke("VLAN.pool_introduce", [taggedPIF.wire, untaggedPIF.wire, tag.wire, otherConfig.wire])
    }

    /// Starts `VLAN.pool_introduce` and answers with its task.
    public func asyncPoolIntroduce(taggedPIF: Ref<PIF>, untaggedPIF: Ref<PIF>, tag: Int64, otherConfig: [String: String]) async throws -> XenTaskHandle<Ref<VLAN>> {
        try await self.caller.launch("VLAN.pool_introduce", [taggedPIF.wire, untaggedPIF.wire, tag.wire, otherConfig.wire])
    }

    /// Calls `VLAN.create`.
    ///
    /// Since miami. Role: pool-operator.
    public func create(taggedPIF: Ref<PIF>, tag: Int64, network: Ref<Network>) async throws -> Ref<VLAN> {
        try await self.caller.invoke("VLAN.create", [taggedPIF.wire, tag.wire, network.wire])
    }

    /// Starts `VLAN.create` and answers with its task.
    public func asyncCreate(taggedPIF: Ref<PIF>, tag: Int64, network: Ref<Network>) async throws -> XenTaskHandle<Ref<VLAN>> {
        try await self.caller.launch("VLAN.create", [taggedPIF.wire, tag.wire, network.wire])
    }

    /// Calls `VLAN.destroy`.
    ///
    /// Since miami. Role: pool-operator.
    public func destroy(_ vlan: Ref<VLAN>) async throws {
        try await self.caller.perform("VLAN.destroy", [vlan.wire])
    }

    /// Starts `VLAN.destroy` and answers with its task.
    public func asyncDestroy(_ vlan: Ref<VLAN>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VLAN.destroy", [vlan.wire])
    }
}
