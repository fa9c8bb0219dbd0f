// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PIF`.
public enum PIF: XenClass {
    public static let className = "PIF"

    public static let uuid = FieldKey<PIF, String>("uuid")
    public static let device = FieldKey<PIF, String>("device")
    public static let network = FieldKey<PIF, Ref<Network>>("network")
    public static let host = FieldKey<PIF, Ref<Host>>("host")
    public static let mac = FieldKey<PIF, String>("MAC")
    public static let mtu = FieldKey<PIF, Int64>("MTU")
    public static let vlan = FieldKey<PIF, Int64>("VLAN")
    /// Never sent to clients.
    public static let deviceName = FieldKey<PIF, String>("device_name")
    public static let metrics = FieldKey<PIF, Ref<PIFMetrics>>("metrics")
    public static let physical = FieldKey<PIF, Bool>("physical")
    public static let currentlyAttached = FieldKey<PIF, Bool>("currently_attached")
    public static let ipConfigurationMode = FieldKey<PIF, IPConfigurationMode>("ip_configuration_mode")
    public static let ip = FieldKey<PIF, String>("IP")
    public static let netmask = FieldKey<PIF, String>("netmask")
    public static let gateway = FieldKey<PIF, String>("gateway")
    public static let dns = FieldKey<PIF, String>("DNS")
    public static let bondSlaveOf = FieldKey<PIF, Ref<Bond>>("bond_slave_of")
    public static let bondMasterOf = FieldKey<PIF, [Ref<Bond>]>("bond_master_of")
    public static let vlanMasterOf = FieldKey<PIF, Ref<VLAN>>("VLAN_master_of")
    public static let vlanSlaveOf = FieldKey<PIF, [Ref<VLAN>]>("VLAN_slave_of")
    public static let management = FieldKey<PIF, Bool>("management")
    public static let otherConfig = FieldKey<PIF, [String: String]>("other_config")
    public static let disallowUnplug = FieldKey<PIF, Bool>("disallow_unplug")
    public static let tunnelAccessPIFOf = FieldKey<PIF, [Ref<Tunnel>]>("tunnel_access_PIF_of")
    public static let tunnelTransportPIFOf = FieldKey<PIF, [Ref<Tunnel>]>("tunnel_transport_PIF_of")
    public static let ipv6ConfigurationMode = FieldKey<PIF, IPv6ConfigurationMode>("ipv6_configuration_mode")
    public static let ipv6 = FieldKey<PIF, [String]>("IPv6")
    public static let ipv6Gateway = FieldKey<PIF, String>("ipv6_gateway")
    public static let primaryAddressType = FieldKey<PIF, PrimaryAddressType>("primary_address_type")
    public static let managed = FieldKey<PIF, Bool>("managed")
    public static let properties = FieldKey<PIF, [String: String]>("properties")
    public static let capabilities = FieldKey<PIF, [String]>("capabilities")
    public static let igmpSnoopingStatus = FieldKey<PIF, PIFIGMPStatus>("igmp_snooping_status")
    public static let sriovPhysicalPIFOf = FieldKey<PIF, [Ref<NetworkSRIOV>]>("sriov_physical_PIF_of")
    public static let sriovLogicalPIFOf = FieldKey<PIF, [Ref<NetworkSRIOV>]>("sriov_logical_PIF_of")
    public static let pci = FieldKey<PIF, Ref<PCI>>("PCI")
}
