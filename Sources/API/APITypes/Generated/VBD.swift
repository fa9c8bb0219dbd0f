// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VBD`.
public enum VBD: XenClass {
    public static let className = "VBD"

    public static let uuid = FieldKey<VBD, String>("uuid")
    public static let allowedOperations = FieldKey<VBD, [VBDOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<VBD, [String: VBDOperations]>("current_operations")
    public static let vm = FieldKey<VBD, Ref<VM>>("VM")
    public static let vdi = FieldKey<VBD, Ref<VDI>>("VDI")
    public static let device = FieldKey<VBD, String>("device")
    public static let userdevice = FieldKey<VBD, String>("userdevice")
    public static let bootable = FieldKey<VBD, Bool>("bootable")
    public static let mode = FieldKey<VBD, VBDMode>("mode")
    public static let type = FieldKey<VBD, VBDType>("type")
    public static let unpluggable = FieldKey<VBD, Bool>("unpluggable")
    public static let storageLock = FieldKey<VBD, Bool>("storage_lock")
    public static let empty = FieldKey<VBD, Bool>("empty")
    /// Never sent to clients.
    public static let reserved = FieldKey<VBD, Bool>("reserved")
    public static let otherConfig = FieldKey<VBD, [String: String]>("other_config")
    public static let currentlyAttached = FieldKey<VBD, Bool>("currently_attached")
    public static let statusCode = FieldKey<VBD, Int64>("status_code")
    public static let statusDetail = FieldKey<VBD, String>("status_detail")
    public static let runtimeProperties = FieldKey<VBD, [String: String]>("runtime_properties")
    public static let qosAlgorithmType = FieldKey<VBD, String>("qos_algorithm_type")
    public static let qosAlgorithmParams = FieldKey<VBD, [String: String]>("qos_algorithm_params")
    public static let qosSupportedAlgorithms = FieldKey<VBD, [String]>("qos_supported_algorithms")
    public static let metrics = FieldKey<VBD, Ref<VBDMetrics>>("metrics")
}
