// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `host_metrics`.
public enum HostMetrics: XenClass {
    public static let className = "host_metrics"

    public static let uuid = FieldKey<HostMetrics, String>("uuid")
    public static let memoryTotal = FieldKey<HostMetrics, Int64>("memory_total")
    public static let memoryFree = FieldKey<HostMetrics, Int64>("memory_free")
    public static let live = FieldKey<HostMetrics, Bool>("live")
    public static let lastUpdated = FieldKey<HostMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<HostMetrics, [String: String]>("other_config")
}
