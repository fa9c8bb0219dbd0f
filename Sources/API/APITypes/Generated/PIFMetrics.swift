// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PIF_metrics`.
public enum PIFMetrics: XenClass {
    public static let className = "PIF_metrics"

    public static let uuid = FieldKey<PIFMetrics, String>("uuid")
    public static let ioReadKbs = FieldKey<PIFMetrics, Double>("io_read_kbs")
    public static let ioWriteKbs = FieldKey<PIFMetrics, Double>("io_write_kbs")
    public static let carrier = FieldKey<PIFMetrics, Bool>("carrier")
    public static let vendorID = FieldKey<PIFMetrics, String>("vendor_id")
    public static let vendorName = FieldKey<PIFMetrics, String>("vendor_name")
    public static let deviceID = FieldKey<PIFMetrics, String>("device_id")
    public static let deviceName = FieldKey<PIFMetrics, String>("device_name")
    public static let speed = FieldKey<PIFMetrics, Int64>("speed")
    public static let duplex = FieldKey<PIFMetrics, Bool>("duplex")
    public static let pciBusPath = FieldKey<PIFMetrics, String>("pci_bus_path")
    public static let lastUpdated = FieldKey<PIFMetrics, APIDate>("last_updated")
    public static let otherConfig = FieldKey<PIFMetrics, [String: String]>("other_config")
}
