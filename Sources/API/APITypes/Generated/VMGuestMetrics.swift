// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VM_guest_metrics`.
public enum VMGuestMetrics: XenClass {
    public static let className = "VM_guest_metrics"

    public static let uuid = FieldKey<VMGuestMetrics, String>("uuid")
    public static let osVersion = FieldKey<VMGuestMetrics, [String: String]>("os_version")
    public static let netbiosName = FieldKey<VMGuestMetrics, [String: String]>("netbios_name")
    public static let pvDriversVersion = FieldKey<VMGuestMetrics, [String: String]>("PV_drivers_version")
    public static let pvDriversUpToDate = FieldKey<VMGuestMetrics, Bool>("PV_drivers_up_to_date")
    public static let memory = FieldKey<VMGuestMetrics, [String: String]>("memory")
    public static let disks = FieldKey<VMGuestMetrics, [String: String]>("disks")
    public static let networks = FieldKey<VMGuestMetrics, [String: String]>("networks")
    public static let other = FieldKey<VMGuestMetrics, [String: String]>("other")
    public static let lastUpdated = FieldKey<VMGuestMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<VMGuestMetrics, [String: String]>("other_config")
    public static let live = FieldKey<VMGuestMetrics, Bool>("live")
    public static let canUseHotplugVBD = FieldKey<VMGuestMetrics, TristateType>("can_use_hotplug_vbd")
    public static let canUseHotplugVIF = FieldKey<VMGuestMetrics, TristateType>("can_use_hotplug_vif")
    public static let pvDriversDetected = FieldKey<VMGuestMetrics, Bool>("PV_drivers_detected")
    public static let services = FieldKey<VMGuestMetrics, [String: String]>("services")
}
