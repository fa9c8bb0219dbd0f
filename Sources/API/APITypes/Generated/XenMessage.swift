// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `message`.
public enum XenMessage: XenClass {
    public static let className = "message"

    public static let uuid = FieldKey<XenMessage, String>("uuid")
    public static let name = FieldKey<XenMessage, String>("name")
    public static let priority = FieldKey<XenMessage, Int64>("priority")
    public static let cls = FieldKey<XenMessage, MessageTargetClass>("cls")
    public static let objUUID = FieldKey<XenMessage, String>("obj_uuid")
    public static let timestamp = FieldKey<XenMessage, APIDate>("timestamp")
    public static let body = FieldKey<XenMessage, String>("body")
}
