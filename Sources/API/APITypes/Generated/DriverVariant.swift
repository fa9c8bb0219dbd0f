// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Driver_variant`.
public enum DriverVariant: XenClass {
    public static let className = "Driver_variant"

    public static let uuid = FieldKey<DriverVariant, String>("uuid")
    public static let name = FieldKey<DriverVariant, String>("name")
    public static let driver = FieldKey<DriverVariant, Ref<HostDriver>>("driver")
    public static let version = FieldKey<DriverVariant, String>("version")
    public static let hardwarePresent = FieldKey<DriverVariant, Bool>("hardware_present")
    public static let priority = FieldKey<DriverVariant, Double>("priority")
    public static let status = FieldKey<DriverVariant, String>("status")
}
