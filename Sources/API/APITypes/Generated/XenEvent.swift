// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `event`.
public enum XenEvent: XenClass {
    public static let className = "event"

    public static let id = FieldKey<XenEvent, Int64>("id")
    public static let timestamp = FieldKey<XenEvent, APIDate>("timestamp")
    public static let `class` = FieldKey<XenEvent, String>("class")
    public static let operation = FieldKey<XenEvent, EventOperation>("operation")
    public static let ref = FieldKey<XenEvent, String>("ref")
    public static let objUUID = FieldKey<XenEvent, String>("obj_uuid")
}
