// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `host_crashdump`.
public enum HostCrashdump: XenClass {
    public static let className = "host_crashdump"

    public static let uuid = FieldKey<HostCrashdump, String>("uuid")
    public static let host = FieldKey<HostCrashdump, Ref<Host>>("host")
    public static let timestamp = FieldKey<HostCrashdump, APIDate>("timestamp")
    public static let size = FieldKey<HostCrashdump, Int64>("size")
    /// Never sent to clients.
    public static let filename = FieldKey<HostCrashdump, String>("filename")
    public static let otherConfig = FieldKey<HostCrashdump, [String: String]>("other_config")
}
