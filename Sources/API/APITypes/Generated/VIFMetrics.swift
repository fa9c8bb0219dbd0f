// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VIF_metrics`.
public enum VIFMetrics: XenClass {
    public static let className = "VIF_metrics"

    public static let uuid = FieldKey<VIFMetrics, String>("uuid")
    public static let ioReadKbs = FieldKey<VIFMetrics, Double>("io_read_kbs")
    public static let ioWriteKbs = FieldKey<VIFMetrics, Double>("io_write_kbs")
    public static let lastUpdated = FieldKey<VIFMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<VIFMetrics, [String: String]>("other_config")
}
