// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VM_group`.
public enum VMGroup: XenClass {
    public static let className = "VM_group"

    public static let uuid = FieldKey<VMGroup, String>("uuid")
    public static let nameLabel = FieldKey<VMGroup, String>("name_label")
    public static let nameDescription = FieldKey<VMGroup, String>("name_description")
    public static let placement = FieldKey<VMGroup, PlacementPolicy>("placement")
    public static let vms = FieldKey<VMGroup, [Ref<VM>]>("VMs")
}
