// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `host_patch`.
public enum HostPatch: XenClass {
    public static let className = "host_patch"

    public static let uuid = FieldKey<HostPatch, String>("uuid")
    public static let nameLabel = FieldKey<HostPatch, String>("name_label")
    public static let nameDescription = FieldKey<HostPatch, String>("name_description")
    public static let version = FieldKey<HostPatch, String>("version")
    public static let host = FieldKey<HostPatch, Ref<Host>>("host")
    /// Never sent to clients.
    public static let filename = FieldKey<HostPatch, String>("filename")
    public static let applied = FieldKey<HostPatch, Bool>("applied")
    public static let timestampApplied = FieldKey<HostPatch, APIDate>("timestamp_applied")
    public static let size = FieldKey<HostPatch, Int64>("size")
    public static let poolPatch = FieldKey<HostPatch, Ref<PoolPatch>>("pool_patch")
    public static let otherConfig = FieldKey<HostPatch, [String: String]>("other_config")
}
