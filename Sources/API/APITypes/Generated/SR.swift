// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `SR`.
public enum SR: XenClass {
    public static let className = "SR"

    public static let uuid = FieldKey<SR, String>("uuid")
    public static let nameLabel = FieldKey<SR, String>("name_label")
    public static let nameDescription = FieldKey<SR, String>("name_description")
    public static let allowedOperations = FieldKey<SR, [StorageOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<SR, [String: StorageOperations]>("current_operations")
    public static let vdis = FieldKey<SR, [Ref<VDI>]>("VDIs")
    public static let pbds = FieldKey<SR, [Ref<PBD>]>("PBDs")
    public static let virtualAllocation = FieldKey<SR, Int64>("virtual_allocation")
    public static let physicalUtilisation = FieldKey<SR, Int64>("physical_utilisation")
    public static let physicalSize = FieldKey<SR, Int64>("physical_size")
    public static let type = FieldKey<SR, String>("type")
    public static let contentType = FieldKey<SR, String>("content_type")
    public static let shared = FieldKey<SR, Bool>("shared")
    public static let otherConfig = FieldKey<SR, [String: String]>("other_config")
    public static let tags = FieldKey<SR, [String]>("tags")
    /// Never sent to clients.
    public static let defaultVDIVisibility = FieldKey<SR, Bool>("default_vdi_visibility")
    public static let smConfig = FieldKey<SR, [String: String]>("sm_config")
    public static let blobs = FieldKey<SR, [String: Ref<Blob>]>("blobs")
    public static let localCacheEnabled = FieldKey<SR, Bool>("local_cache_enabled")
    public static let introducedBy = FieldKey<SR, Ref<DRTask>>("introduced_by")
    public static let clustered = FieldKey<SR, Bool>("clustered")
    public static let isToolsSR = FieldKey<SR, Bool>("is_tools_sr")
}
