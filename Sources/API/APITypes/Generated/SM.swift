// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `SM`.
public enum SM: XenClass {
    public static let className = "SM"

    public static let uuid = FieldKey<SM, String>("uuid")
    public static let nameLabel = FieldKey<SM, String>("name_label")
    public static let nameDescription = FieldKey<SM, String>("name_description")
    public static let type = FieldKey<SM, String>("type")
    public static let vendor = FieldKey<SM, String>("vendor")
    public static let copyright = FieldKey<SM, String>("copyright")
    public static let version = FieldKey<SM, String>("version")
    public static let requiredAPIVersion = FieldKey<SM, String>("required_api_version")
    public static let configuration = FieldKey<SM, [String: String]>("configuration")
    public static let capabilities = FieldKey<SM, [String]>("capabilities")
    public static let features = FieldKey<SM, [String: Int64]>("features")
    /// Never sent to clients.
    public static let hostPendingFeatures = FieldKey<SM, [Ref<Host>: [String]]>("host_pending_features")
    public static let otherConfig = FieldKey<SM, [String: String]>("other_config")
    public static let driverFilename = FieldKey<SM, String>("driver_filename")
    public static let requiredClusterStack = FieldKey<SM, [String]>("required_cluster_stack")
    public static let supportedImageFormats = FieldKey<SM, [ImageFormatType]>("supported_image_formats")
}
