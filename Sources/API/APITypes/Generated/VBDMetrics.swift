// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VBD_metrics`.
public enum VBDMetrics: XenClass {
    public static let className = "VBD_metrics"

    public static let uuid = FieldKey<VBDMetrics, String>("uuid")
    public static let ioReadKbs = FieldKey<VBDMetrics, Double>("io_read_kbs")
    public static let ioWriteKbs = FieldKey<VBDMetrics, Double>("io_write_kbs")
    public static let lastUpdated = FieldKey<VBDMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<VBDMetrics, [String: String]>("other_config")
}
