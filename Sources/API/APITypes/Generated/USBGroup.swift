// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `USB_group`.
public enum USBGroup: XenClass {
    public static let className = "USB_group"

    public static let uuid = FieldKey<USBGroup, String>("uuid")
    public static let nameLabel = FieldKey<USBGroup, String>("name_label")
    public static let nameDescription = FieldKey<USBGroup, String>("name_description")
    public static let pusbs = FieldKey<USBGroup, [Ref<PUSB>]>("PUSBs")
    public static let vusbs = FieldKey<USBGroup, [Ref<VUSB>]>("VUSBs")
    public static let otherConfig = FieldKey<USBGroup, [String: String]>("other_config")
}
