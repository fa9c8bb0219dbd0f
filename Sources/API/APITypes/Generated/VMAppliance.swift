// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VM_appliance`.
public enum VMAppliance: XenClass {
    public static let className = "VM_appliance"

    public static let uuid = FieldKey<VMAppliance, String>("uuid")
    public static let nameLabel = FieldKey<VMAppliance, String>("name_label")
    public static let nameDescription = FieldKey<VMAppliance, String>("name_description")
    public static let allowedOperations = FieldKey<VMAppliance, [VMApplianceOperation]>("allowed_operations")
    public static let currentOperations = FieldKey<VMAppliance, [String: VMApplianceOperation]>("current_operations")
    public static let vms = FieldKey<VMAppliance, [Ref<VM>]>("VMs")
}
