// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VDI`.
public enum VDI: XenClass {
    public static let className = "VDI"

    public static let uuid = FieldKey<VDI, String>("uuid")
    public static let nameLabel = FieldKey<VDI, String>("name_label")
    public static let nameDescription = FieldKey<VDI, String>("name_description")
    public static let allowedOperations = FieldKey<VDI, [VDIOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<VDI, [String: VDIOperations]>("current_operations")
    public static let sr = FieldKey<VDI, Ref<SR>>("SR")
    public static let vbds = FieldKey<VDI, [Ref<VBD>]>("VBDs")
    public static let crashDumps = FieldKey<VDI, [Ref<Crashdump>]>("crash_dumps")
    public static let virtualSize = FieldKey<VDI, Int64>("virtual_size")
    public static let physicalUtilisation = FieldKey<VDI, Int64>("physical_utilisation")
    public static let type = FieldKey<VDI, VDIType>("type")
    public static let sharable = FieldKey<VDI, Bool>("sharable")
    public static let readOnly = FieldKey<VDI, Bool>("read_only")
    public static let otherConfig = FieldKey<VDI, [String: String]>("other_config")
    public static let storageLock = FieldKey<VDI, Bool>("storage_lock")
    public static let location = FieldKey<VDI, String>("location")
    public static let managed = FieldKey<VDI, Bool>("managed")
    public static let missing = FieldKey<VDI, Bool>("missing")
    public static let parent = FieldKey<VDI, Ref<VDI>>("parent")
    public static let xenstoreData = FieldKey<VDI, [String: String]>("xenstore_data")
    public static let smConfig = FieldKey<VDI, [String: String]>("sm_config")
    public static let isASnapshot = FieldKey<VDI, Bool>("is_a_snapshot")
    public static let snapshotOf = FieldKey<VDI, Ref<VDI>>("snapshot_of")
    public static let snapshots = FieldKey<VDI, [Ref<VDI>]>("snapshots")
    public static let snapshotTime = FieldKey<VDI, APIDate>("snapshot_time")
    public static let tags = FieldKey<VDI, [String]>("tags")
    public static let allowCaching = FieldKey<VDI, Bool>("allow_caching")
    public static let onBoot = FieldKey<VDI, OnBoot>("on_boot")
    public static let metadataOfPool = FieldKey<VDI, Ref<Pool>>("metadata_of_pool")
    public static let metadataLatest = FieldKey<VDI, Bool>("metadata_latest")
    public static let isToolsISO = FieldKey<VDI, Bool>("is_tools_iso")
    public static let cbtEnabled = FieldKey<VDI, Bool>("cbt_enabled")
}
