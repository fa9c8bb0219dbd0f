// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `network_sriov`.
public struct NetworkSRIOVRecord: XenRecord {
    public var uuid: String
    public var physicalPIF: Ref<PIF>
    public var logicalPIF: Ref<PIF>
    public var requiresReboot: Bool
    public var configurationMode: Open<SRIOVConfigurationMode>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "network_sriov")
        uuid = try record.field("uuid")
        physicalPIF = try record.field("physical_PIF")
        logicalPIF = try record.field("logical_PIF")
        requiresReboot = try record.field("requires_reboot")
        configurationMode = try record.field("configuration_mode")
    }
}

extension NetworkSRIOV: RecordClass { public typealias Record = NetworkSRIOVRecord }

/// The messages of the class `network_sriov`.
public struct NetworkSRIOVCalls: ObjectCalls, ListingCalls {
    public typealias Class = NetworkSRIOV
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `network_sriov.create`.
    ///
    /// Since kolkata. Role: pool-operator.
    public func create(pif: Ref<PIF>, network: Ref<Network>) async throws -> Ref<NetworkSRIOV> {
        try await self.caller.invoke("network_sriov.create", [pif.wire, network.wire])
    }

    /// Starts `network_sriov.create` and answers with its task.
    public func asyncCreate(pif: Ref<PIF>, network: Ref<Network>) async throws -> XenTaskHandle<Ref<NetworkSRIOV>> {
        try await self.caller.launch("network_sriov.create", [pif.wire, network.wire])
    }

    /// Calls `network_sriov.destroy`.
    ///
    /// Since kolkata. Role: pool-operator.
    public func destroy(_ networkSRIOV: Ref<NetworkSRIOV>) async throws {
        try await self.caller.perform("network_sriov.destroy", [networkSRIOV.wire])
    }

    /// Starts `network_sriov.destroy` and answers with its task.
    public func asyncDestroy(_ networkSRIOV: Ref<NetworkSRIOV>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network_sriov.destroy", [networkSRIOV.wire])
    }

    /// Calls `network_sriov.get_remaining_capacity`.
    ///
    /// Since kolkata. Role: read-only.
    public func getRemainingCapacity(_ networkSRIOV: Ref<NetworkSRIOV>) async throws -> Int64 {
        try await self.caller.invoke("network_sriov.get_remaining_capacity", [networkSRIOV.wire])
    }

    /// Starts `network_sriov.get_remaining_capacity` and answers with its task.
    public func asyncGetRemainingCapacity(_ networkSRIOV: Ref<NetworkSRIOV>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("network_sriov.get_remaining_capacity", [networkSRIOV.wire])
    }
}
