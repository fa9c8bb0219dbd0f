// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Cluster_host`.
public enum ClusterHost: XenClass {
    public static let className = "Cluster_host"

    public static let uuid = FieldKey<ClusterHost, String>("uuid")
    public static let cluster = FieldKey<ClusterHost, Ref<Cluster>>("cluster")
    public static let host = FieldKey<ClusterHost, Ref<Host>>("host")
    public static let enabled = FieldKey<ClusterHost, Bool>("enabled")
    public static let pif = FieldKey<ClusterHost, Ref<PIF>>("PIF")
    public static let joined = FieldKey<ClusterHost, Bool>("joined")
    public static let live = FieldKey<ClusterHost, Bool>("live")
    public static let lastUpdateLive = FieldKey<ClusterHost, APIDate>("last_update_live")
    public static let allowedOperations = FieldKey<ClusterHost, [ClusterHostOperation]>("allowed_operations")
    public static let currentOperations = FieldKey<ClusterHost, [String: ClusterHostOperation]>("current_operations")
    public static let otherConfig = FieldKey<ClusterHost, [String: String]>("other_config")
}
