// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `pool_update`.
public enum PoolUpdate: XenClass {
    public static let className = "pool_update"

    public static let uuid = FieldKey<PoolUpdate, String>("uuid")
    public static let nameLabel = FieldKey<PoolUpdate, String>("name_label")
    public static let nameDescription = FieldKey<PoolUpdate, String>("name_description")
    public static let version = FieldKey<PoolUpdate, String>("version")
    public static let installationSize = FieldKey<PoolUpdate, Int64>("installation_size")
    public static let key = FieldKey<PoolUpdate, String>("key")
    public static let afterApplyGuidance = FieldKey<PoolUpdate, [UpdateAfterApplyGuidance]>("after_apply_guidance")
    public static let vdi = FieldKey<PoolUpdate, Ref<VDI>>("vdi")
    public static let hosts = FieldKey<PoolUpdate, [Ref<Host>]>("hosts")
    public static let otherConfig = FieldKey<PoolUpdate, [String: String]>("other_config")
    public static let enforceHomogeneity = FieldKey<PoolUpdate, Bool>("enforce_homogeneity")
}
