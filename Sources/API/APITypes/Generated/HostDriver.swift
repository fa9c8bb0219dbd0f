// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Host_driver`.
public enum HostDriver: XenClass {
    public static let className = "Host_driver"

    public static let uuid = FieldKey<HostDriver, String>("uuid")
    public static let host = FieldKey<HostDriver, Ref<Host>>("host")
    public static let name = FieldKey<HostDriver, String>("name")
    public static let friendlyName = FieldKey<HostDriver, String>("friendly_name")
    public static let variants = FieldKey<HostDriver, [Ref<DriverVariant>]>("variants")
    public static let activeVariant = FieldKey<HostDriver, Ref<DriverVariant>>("active_variant")
    public static let selectedVariant = FieldKey<HostDriver, Ref<DriverVariant>>("selected_variant")
    public static let type = FieldKey<HostDriver, String>("type")
    public static let description = FieldKey<HostDriver, String>("description")
    public static let info = FieldKey<HostDriver, String>("info")
}
