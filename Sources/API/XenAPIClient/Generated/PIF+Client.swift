// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PIF`. A network interface of a host.
public struct PIFRecord: XenRecord {
    /// Identifies the interface.
    public var uuid: String
    /// Its name on the host.
    public var device: String
    /// The network that it is on.
    public var network: Ref<Network>
    /// The host that has it.
    public var host: Ref<Host>
    /// Its hardware address.
    public var mac: String
    /// The longest packet, bytes.
    public var mtu: Int64
    /// The VLAN's number; -1 for none.
    public var vlan: Int64
    /// What is measured of it.
    public var metrics: Ref<PIFMetrics>
    /// Whether it is a piece of hardware.
    public var physical: Bool
    /// Whether it is up.
    public var currentlyAttached: Bool
    /// How it gets its address.
    public var ipConfigurationMode: Open<IPConfigurationMode>
    /// Its IPv4 address.
    public var ip: String
    /// The mask of that address.
    public var netmask: String
    /// The way out of its network.
    public var gateway: String
    /// Name servers, separated by commas.
    public var dns: String
    public var bondSlaveOf: Ref<Bond>
    public var bondMasterOf: [Ref<Bond>]
    public var vlanMasterOf: Ref<VLAN>
    public var vlanSlaveOf: [Ref<VLAN>]
    /// Whether the API is reached over it.
    public var management: Bool
    /// For notes.
    public var otherConfig: [String: String]
    public var disallowUnplug: Bool
    public var tunnelAccessPIFOf: [Ref<Tunnel>]
    public var tunnelTransportPIFOf: [Ref<Tunnel>]
    public var ipv6ConfigurationMode: Open<IPv6ConfigurationMode>
    public var ipv6: [String]
    public var ipv6Gateway: String
    public var primaryAddressType: Open<PrimaryAddressType>
    public var managed: Bool
    public var properties: [String: String]
    public var capabilities: [String]
    public var igmpSnoopingStatus: Open<PIFIGMPStatus>?
    public var sriovPhysicalPIFOf: [Ref<NetworkSRIOV>]?
    public var sriovLogicalPIFOf: [Ref<NetworkSRIOV>]?
    public var pci: Ref<PCI>?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PIF")
        uuid = try record.field("uuid")
        device = try record.field("device")
        network = try record.field("network")
        host = try record.field("host")
        mac = try record.field("MAC")
        mtu = try record.field("MTU")
        vlan = try record.field("VLAN")
        metrics = try record.field("metrics")
        physical = try record.field("physical")
        currentlyAttached = try record.field("currently_attached")
        ipConfigurationMode = try record.field("ip_configuration_mode")
        ip = try record.field("IP")
        netmask = try record.field("netmask")
        gateway = try record.field("gateway")
        dns = try record.field("DNS")
        bondSlaveOf = try record.field("bond_slave_of")
        bondMasterOf = try record.field("bond_master_of")
        vlanMasterOf = try record.field("VLAN_master_of")
        vlanSlaveOf = try record.field("VLAN_slave_of")
        management = try record.field("management")
        otherConfig = try record.field("other_config")
        disallowUnplug = try record.field("disallow_unplug")
        tunnelAccessPIFOf = try record.field("tunnel_access_PIF_of")
        tunnelTransportPIFOf = try record.field("tunnel_transport_PIF_of")
        ipv6ConfigurationMode = try record.field("ipv6_configuration_mode")
        ipv6 = try record.field("IPv6")
        ipv6Gateway = try record.field("ipv6_gateway")
        primaryAddressType = try record.field("primary_address_type")
        managed = try record.field("managed")
        properties = try record.field("properties")
        capabilities = try record.field("capabilities")
        igmpSnoopingStatus = try record.optional("igmp_snooping_status")
        sriovPhysicalPIFOf = try record.optional("sriov_physical_PIF_of")
        sriovLogicalPIFOf = try record.optional("sriov_logical_PIF_of")
        pci = try record.optional("PCI")
    }
}

extension PIF: RecordClass { public typealias Record = PIFRecord }

/// The messages of the class `PIF`.
public struct PIFCalls: ObjectCalls, ListingCalls {
    public typealias Class = PIF
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PIF.create_VLAN`.
    ///
    /// Since rio, deprecated in miami. Role: pool-operator. Errors: `VLAN_TAG_INVALID`.
    public func createVLAN(device: String, network: Ref<Network>, host: Ref<Host>, vlan: Int64) async throws -> Ref<PIF> {
        try await self.caller.invoke("PIF.create_VLAN", [device.wire, network.wire, host.wire, vlan.wire])
    }

    /// Starts `PIF.create_VLAN` and answers with its task.
    public func asyncCreateVLAN(device: String, network: Ref<Network>, host: Ref<Host>, vlan: Int64) async throws -> XenTaskHandle<Ref<PIF>> {
        try await self.caller.launch("PIF.create_VLAN", [device.wire, network.wire, host.wire, vlan.wire])
    }

    /// Calls `PIF.destroy`.
    ///
    /// Since rio, deprecated in miami. Role: pool-operator. Errors: `PIF_IS_PHYSICAL`.
    public func destroy(_ pif: Ref<PIF>) async throws {
        try await self.caller.perform("PIF.destroy", [pif.wire])
    }

    /// Starts `PIF.destroy` and answers with its task.
    public func asyncDestroy(_ pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.destroy", [pif.wire])
    }

    /// Calls `PIF.reconfigure_ip`.
    ///
    /// Since miami. Role: pool-operator. Errors: `CLUSTERING_ENABLED`.
    public func reconfigureIP(_ pif: Ref<PIF>, mode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String) async throws {
        try await self.caller.perform("PIF.reconfigure_ip", [pif.wire, mode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire])
    }

    /// Starts `PIF.reconfigure_ip` and answers with its task.
    public func asyncReconfigureIP(_ pif: Ref<PIF>, mode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.reconfigure_ip", [pif.wire, mode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire])
    }

    /// Calls `PIF.reconfigure_ipv6`.
    ///
    /// Since tampa. Role: pool-operator. Errors: `CLUSTERING_ENABLED`.
    public func reconfigureIPv6(_ pif: Ref<PIF>, mode: IPv6ConfigurationMode, ipv6: String, gateway: String, dns: String) async throws {
        try await self.caller.perform("PIF.reconfigure_ipv6", [pif.wire, mode.wire, ipv6.wire, gateway.wire, dns.wire])
    }

    /// Starts `PIF.reconfigure_ipv6` and answers with its task.
    public func asyncReconfigureIPv6(_ pif: Ref<PIF>, mode: IPv6ConfigurationMode, ipv6: String, gateway: String, dns: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.reconfigure_ipv6", [pif.wire, mode.wire, ipv6.wire, gateway.wire, dns.wire])
    }

    /// Calls `PIF.set_primary_address_type`.
    ///
    /// Since tampa. Role: pool-operator.
    public func setPrimaryAddressType(_ pif: Ref<PIF>, primaryAddressType: PrimaryAddressType) async throws {
        try await self.caller.perform("PIF.set_primary_address_type", [pif.wire, primaryAddressType.wire])
    }

    /// Starts `PIF.set_primary_address_type` and answers with its task.
    public func asyncSetPrimaryAddressType(_ pif: Ref<PIF>, primaryAddressType: PrimaryAddressType) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.set_primary_address_type", [pif.wire, primaryAddressType.wire])
    }

    /// Looks for the host's interfaces, and enters those that are new.
    ///
    /// Since miami. Role: pool-operator.
    public func scan(host: Ref<Host>) async throws {
        try await self.caller.perform("PIF.scan", [host.wire])
    }

    /// Starts `PIF.scan` and answers with its task.
    public func asyncScan(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.scan", [host.wire])
    }

    /// Calls `PIF.introduce`.
    ///
    /// Since miami. Role: pool-operator.
    public func introduce(host: Ref<Host>, mac: String, device: String, managed: Bool = true) async throws -> Ref<PIF> {
        try await self.caller.invoke("PIF.introduce", [host.wire, mac.wire, device.wire, managed.wire], defaults: [.bool(true)])
    }

    /// Starts `PIF.introduce` and answers with its task.
    public func asyncIntroduce(host: Ref<Host>, mac: String, device: String, managed: Bool = true) async throws -> XenTaskHandle<Ref<PIF>> {
        try await self.caller.launch("PIF.introduce", [host.wire, mac.wire, device.wire, managed.wire], defaults: [.bool(true)])
    }

    /// Calls `PIF.forget`.
    ///
    /// Since miami. Role: pool-operator. Errors: `PIF_TUNNEL_STILL_EXISTS`, `CLUSTERING_ENABLED`.
    public func forget(_ pif: Ref<PIF>) async throws {
        try await self.caller.perform("PIF.forget", [pif.wire])
    }

    /// Starts `PIF.forget` and answers with its task.
    public func asyncForget(_ pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.forget", [pif.wire])
    }

    /// Calls `PIF.unplug`.
    ///
    /// Since miami. Role: pool-operator. Errors: `HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN`, `VIF_IN_USE`, `PIF_DOES_NOT_ALLOW_UNPLUG`, `PIF_HAS_FCOE_SR_IN_USE`.
    public func unplug(_ pif: Ref<PIF>) async throws {
        try await self.caller.perform("PIF.unplug", [pif.wire])
    }

    /// Starts `PIF.unplug` and answers with its task.
    public func asyncUnplug(_ pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.unplug", [pif.wire])
    }

    /// Calls `PIF.set_disallow_unplug`.
    ///
    /// Since orlando. Role: pool-operator. Errors: `OTHER_OPERATION_IN_PROGRESS`, `CLUSTERING_ENABLED`.
    public func setDisallowUnplug(_ pif: Ref<PIF>, value: Bool) async throws {
        try await self.caller.perform("PIF.set_disallow_unplug", [pif.wire, value.wire])
    }

    /// Starts `PIF.set_disallow_unplug` and answers with its task.
    public func asyncSetDisallowUnplug(_ pif: Ref<PIF>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.set_disallow_unplug", [pif.wire, value.wire])
    }

    /// Calls `PIF.plug`.
    ///
    /// Since miami. Role: pool-operator. Errors: `TRANSPORT_PIF_NOT_CONFIGURED`.
    public func plug(_ pif: Ref<PIF>) async throws {
        try await self.caller.perform("PIF.plug", [pif.wire])
    }

    /// Starts `PIF.plug` and answers with its task.
    public func asyncPlug(_ pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.plug", [pif.wire])
    }

    /// Calls `PIF.pool_introduce`.
    ///
    /// Since rio. Role: pool-operator.
    public func poolIntroduce(device: String, network: Ref<Network>, host: Ref<Host>, mac: String, mtu: Int64, vlan: Int64, physical: Bool, ipConfigurationMode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String, bondSlaveOf: Ref<Bond>, vlanMasterOf: Ref<VLAN>, management: Bool, otherConfig: [String: String], disallowUnplug: Bool = false, ipv6ConfigurationMode: IPv6ConfigurationMode = .none, ipv6: [String] = [], ipv6Gateway: String = "", primaryAddressType: PrimaryAddressType = .ipv4, managed: Bool = true, properties: [String: String] = [:]) async throws -> Ref<PIF> {
        try await self.caller.invoke("PIF.pool_introduce", [device.wire, network.wire, host.wire, mac.wire, mtu.wire, vlan.wire, physical.wire, ipConfigurationMode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire, bondSlaveOf.wire, vlanMasterOf.wire, management.wire, otherConfig.wire, disallowUnplug.wire, ipv6ConfigurationMode.wire, ipv6.wire, ipv6Gateway.wire, primaryAddressType.wire, managed.wire, properties.wire], defaults: [.bool(false), .string("None"), .array([]), .string(""), .string("IPv4"), .bool(true), .structure([])])
    }

    /// Starts `PIF.pool_introduce` and answers with its task.
    public func asyncPoolIntroduce(device: String, network: Ref<Network>, host: Ref<Host>, mac: String, mtu: Int64, vlan: Int64, physical: Bool, ipConfigurationMode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String, bondSlaveOf: Ref<Bond>, vlanMasterOf: Ref<VLAN>, management: Bool, otherConfig: [String: String], disallowUnplug: Bool = false, ipv6ConfigurationMode: IPv6ConfigurationMode = .none, ipv6: [String] = [], ipv6Gateway: String = "", primaryAddressType: PrimaryAddressType = .ipv4, managed: Bool = true, properties: [String: String] = [:]) async throws -> XenTaskHandle<Ref<PIF>> {
        try await self.caller.launch("PIF.pool_introduce", [device.wire, network.wire, host.wire, mac.wire, mtu.wire, vlan.wire, physical.wire, ipConfigurationMode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire, bondSlaveOf.wire, vlanMasterOf.wire, management.wire, otherConfig.wire, disallowUnplug.wire, ipv6ConfigurationMode.wire, ipv6.wire, ipv6Gateway.wire, primaryAddressType.wire, managed.wire, properties.wire], defaults: [.bool(false), .string("None"), .array([]), .string(""), .string("IPv4"), .bool(true), .structure([])])
    }

    /// Calls `PIF.db_introduce`.
    ///
    /// Since orlando. Role: pool-operator.
    public func dbIntroduce(device: String, network: Ref<Network>, host: Ref<Host>, mac: String, mtu: Int64, vlan: Int64, physical: Bool, ipConfigurationMode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String, bondSlaveOf: Ref<Bond>, vlanMasterOf: Ref<VLAN>, management: Bool, otherConfig: [String: String], disallowUnplug: Bool = false, ipv6ConfigurationMode: IPv6ConfigurationMode = .none, ipv6: [String] = [], ipv6Gateway: String = "", primaryAddressType: PrimaryAddressType = .ipv4, managed: Bool = true, properties: [String: String] = [:]) async throws -> Ref<PIF> {
        try await self.caller.invoke("PIF.db_introduce", [device.wire, network.wire, host.wire, mac.wire, mtu.wire, vlan.wire, physical.wire, ipConfigurationMode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire, bondSlaveOf.wire, vlanMasterOf.wire, management.wire, otherConfig.wire, disallowUnplug.wire, ipv6ConfigurationMode.wire, ipv6.wire, ipv6Gateway.wire, primaryAddressType.wire, managed.wire, properties.wire], defaults: [.bool(false), .string("None"), .array([]), .string(""), .string("IPv4"), .bool(true), .structure([])])
    }

    /// Starts `PIF.db_introduce` and answers with its task.
    public func asyncDbIntroduce(device: String, network: Ref<Network>, host: Ref<Host>, mac: String, mtu: Int64, vlan: Int64, physical: Bool, ipConfigurationMode: IPConfigurationMode, ip: String, netmask: String, gateway: String, dns: String, bondSlaveOf: Ref<Bond>, vlanMasterOf: Ref<VLAN>, management: Bool, otherConfig: [String: String], disallowUnplug: Bool = false, ipv6ConfigurationMode: IPv6ConfigurationMode = .none, ipv6: [String] = [], ipv6Gateway: String = "", primaryAddressType: PrimaryAddressType = .ipv4, managed: Bool = true, properties: [String: String] = [:]) async throws -> XenTaskHandle<Ref<PIF>> {
        try await self.caller.launch("PIF.db_introduce", [device.wire, network.wire, host.wire, mac.wire, mtu.wire, vlan.wire, physical.wire, ipConfigurationMode.wire, ip.wire, netmask.wire, gateway.wire, dns.wire, bondSlaveOf.wire, vlanMasterOf.wire, management.wire, otherConfig.wire, disallowUnplug.wire, ipv6ConfigurationMode.wire, ipv6.wire, ipv6Gateway.wire, primaryAddressType.wire, managed.wire, properties.wire], defaults: [.bool(false), .string("None"), .array([]), .string(""), .string("IPv4"), .bool(true), .structure([])])
    }

    /// Calls `PIF.db_forget`.
    ///
    /// Since orlando. Role: pool-operator.
    public func dbForget(_ pif: Ref<PIF>) async throws {
        try await self.caller.perform("PIF.db_forget", [pif.wire])
    }

    /// Starts `PIF.db_forget` and answers with its task.
    public func asyncDbForget(_ pif: Ref<PIF>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.db_forget", [pif.wire])
    }

    /// Calls `PIF.set_property`.
    ///
    /// Since creedence. Role: pool-operator.
    public func setProperty(_ pif: Ref<PIF>, name: String, value: String) async throws {
        try await self.caller.perform("PIF.set_property", [pif.wire, name.wire, value.wire])
    }

    /// Starts `PIF.set_property` and answers with its task.
    public func asyncSetProperty(_ pif: Ref<PIF>, name: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PIF.set_property", [pif.wire, name.wire, value.wire])
    }
}
