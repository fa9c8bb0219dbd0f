// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `network_sriov`.
public enum NetworkSRIOV: XenClass {
    public static let className = "network_sriov"

    public static let uuid = FieldKey<NetworkSRIOV, String>("uuid")
    public static let physicalPIF = FieldKey<NetworkSRIOV, Ref<PIF>>("physical_PIF")
    public static let logicalPIF = FieldKey<NetworkSRIOV, Ref<PIF>>("logical_PIF")
    public static let requiresReboot = FieldKey<NetworkSRIOV, Bool>("requires_reboot")
    public static let configurationMode = FieldKey<NetworkSRIOV, SRIOVConfigurationMode>("configuration_mode")
}
