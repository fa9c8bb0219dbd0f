// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Cluster`.
public enum Cluster: XenClass {
    public static let className = "Cluster"

    public static let uuid = FieldKey<Cluster, String>("uuid")
    public static let clusterHosts = FieldKey<Cluster, [Ref<ClusterHost>]>("cluster_hosts")
    public static let pendingForget = FieldKey<Cluster, [String]>("pending_forget")
    public static let clusterToken = FieldKey<Cluster, String>("cluster_token")
    public static let clusterStack = FieldKey<Cluster, String>("cluster_stack")
    public static let clusterStackVersion = FieldKey<Cluster, Int64>("cluster_stack_version")
    public static let isQuorate = FieldKey<Cluster, Bool>("is_quorate")
    public static let quorum = FieldKey<Cluster, Int64>("quorum")
    public static let liveHosts = FieldKey<Cluster, Int64>("live_hosts")
    public static let expectedHosts = FieldKey<Cluster, Int64>("expected_hosts")
    public static let allowedOperations = FieldKey<Cluster, [ClusterOperation]>("allowed_operations")
    public static let currentOperations = FieldKey<Cluster, [String: ClusterOperation]>("current_operations")
    public static let poolAutoJoin = FieldKey<Cluster, Bool>("pool_auto_join")
    public static let tokenTimeout = FieldKey<Cluster, Double>("token_timeout")
    public static let tokenTimeoutCoefficient = FieldKey<Cluster, Double>("token_timeout_coefficient")
    public static let clusterConfig = FieldKey<Cluster, [String: String]>("cluster_config")
    public static let otherConfig = FieldKey<Cluster, [String: String]>("other_config")
}
