// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PUSB`.
public enum PUSB: XenClass {
    public static let className = "PUSB"

    public static let uuid = FieldKey<PUSB, String>("uuid")
    public static let usbGroup = FieldKey<PUSB, Ref<USBGroup>>("USB_group")
    public static let host = FieldKey<PUSB, Ref<Host>>("host")
    public static let path = FieldKey<PUSB, String>("path")
    public static let vendorID = FieldKey<PUSB, String>("vendor_id")
    public static let vendorDesc = FieldKey<PUSB, String>("vendor_desc")
    public static let productID = FieldKey<PUSB, String>("product_id")
    public static let productDesc = FieldKey<PUSB, String>("product_desc")
    public static let serial = FieldKey<PUSB, String>("serial")
    public static let version = FieldKey<PUSB, String>("version")
    public static let description = FieldKey<PUSB, String>("description")
    public static let passthroughEnabled = FieldKey<PUSB, Bool>("passthrough_enabled")
    public static let otherConfig = FieldKey<PUSB, [String: String]>("other_config")
    public static let speed = FieldKey<PUSB, Double>("speed")
}
