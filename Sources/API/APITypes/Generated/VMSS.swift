// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VMSS`.
public enum VMSS: XenClass {
    public static let className = "VMSS"

    public static let uuid = FieldKey<VMSS, String>("uuid")
    public static let nameLabel = FieldKey<VMSS, String>("name_label")
    public static let nameDescription = FieldKey<VMSS, String>("name_description")
    public static let enabled = FieldKey<VMSS, Bool>("enabled")
    public static let type = FieldKey<VMSS, VMSSType>("type")
    public static let retainedSnapshots = FieldKey<VMSS, Int64>("retained_snapshots")
    public static let frequency = FieldKey<VMSS, VMSSFrequency>("frequency")
    public static let schedule = FieldKey<VMSS, [String: String]>("schedule")
    public static let lastRunTime = FieldKey<VMSS, APIDate>("last_run_time")
    public static let vms = FieldKey<VMSS, [Ref<VM>]>("VMs")
}
