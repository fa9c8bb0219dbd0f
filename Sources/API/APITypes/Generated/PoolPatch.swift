// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `pool_patch`.
public enum PoolPatch: XenClass {
    public static let className = "pool_patch"

    public static let uuid = FieldKey<PoolPatch, String>("uuid")
    public static let nameLabel = FieldKey<PoolPatch, String>("name_label")
    public static let nameDescription = FieldKey<PoolPatch, String>("name_description")
    public static let version = FieldKey<PoolPatch, String>("version")
    /// Never sent to clients.
    public static let filename = FieldKey<PoolPatch, String>("filename")
    public static let size = FieldKey<PoolPatch, Int64>("size")
    public static let poolApplied = FieldKey<PoolPatch, Bool>("pool_applied")
    public static let hostPatches = FieldKey<PoolPatch, [Ref<HostPatch>]>("host_patches")
    public static let afterApplyGuidance = FieldKey<PoolPatch, [AfterApplyGuidance]>("after_apply_guidance")
    public static let poolUpdate = FieldKey<PoolPatch, Ref<PoolUpdate>>("pool_update")
    public static let otherConfig = FieldKey<PoolPatch, [String: String]>("other_config")
}
