// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VUSB`.
public enum VUSB: XenClass {
    public static let className = "VUSB"

    public static let uuid = FieldKey<VUSB, String>("uuid")
    public static let allowedOperations = FieldKey<VUSB, [VUSBOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<VUSB, [String: VUSBOperations]>("current_operations")
    public static let vm = FieldKey<VUSB, Ref<VM>>("VM")
    public static let usbGroup = FieldKey<VUSB, Ref<USBGroup>>("USB_group")
    public static let otherConfig = FieldKey<VUSB, [String: String]>("other_config")
    public static let currentlyAttached = FieldKey<VUSB, Bool>("currently_attached")
}
