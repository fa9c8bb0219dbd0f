// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PCI`.
public enum PCI: XenClass {
    public static let className = "PCI"

    public static let uuid = FieldKey<PCI, String>("uuid")
    public static let classID = FieldKey<PCI, String>("class_id")
    public static let classNameField = FieldKey<PCI, String>("class_name")
    public static let vendorID = FieldKey<PCI, String>("vendor_id")
    public static let vendorName = FieldKey<PCI, String>("vendor_name")
    public static let deviceID = FieldKey<PCI, String>("device_id")
    public static let deviceName = FieldKey<PCI, String>("device_name")
    public static let host = FieldKey<PCI, Ref<Host>>("host")
    public static let pciID = FieldKey<PCI, String>("pci_id")
    /// Never sent to clients.
    public static let functions = FieldKey<PCI, Int64>("functions")
    /// Never sent to clients.
    public static let virtualFunctions = FieldKey<PCI, [Ref<PCI>]>("virtual_functions")
    /// Never sent to clients.
    public static let physicalFunction = FieldKey<PCI, Ref<PCI>>("physical_function")
    /// Never sent to clients.
    public static let attachedVMs = FieldKey<PCI, [Ref<VM>]>("attached_VMs")
    public static let dependencies = FieldKey<PCI, [Ref<PCI>]>("dependencies")
    public static let otherConfig = FieldKey<PCI, [String: String]>("other_config")
    public static let subsystemVendorID = FieldKey<PCI, String>("subsystem_vendor_id")
    public static let subsystemVendorName = FieldKey<PCI, String>("subsystem_vendor_name")
    public static let subsystemDeviceID = FieldKey<PCI, String>("subsystem_device_id")
    public static let subsystemDeviceName = FieldKey<PCI, String>("subsystem_device_name")
    /// Never sent to clients.
    public static let scheduledToBeAttachedTo = FieldKey<PCI, Ref<VM>>("scheduled_to_be_attached_to")
    public static let driverName = FieldKey<PCI, String>("driver_name")
}
