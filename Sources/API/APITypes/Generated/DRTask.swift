// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `DR_task`.
public enum DRTask: XenClass {
    public static let className = "DR_task"

    public static let uuid = FieldKey<DRTask, String>("uuid")
    public static let introducedSRs = FieldKey<DRTask, [Ref<SR>]>("introduced_SRs")
}
