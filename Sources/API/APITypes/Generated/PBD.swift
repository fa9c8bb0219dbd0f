// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PBD`.
public enum PBD: XenClass {
    public static let className = "PBD"

    public static let uuid = FieldKey<PBD, String>("uuid")
    public static let host = FieldKey<PBD, Ref<Host>>("host")
    public static let sr = FieldKey<PBD, Ref<SR>>("SR")
    public static let deviceConfig = FieldKey<PBD, [String: String]>("device_config")
    public static let currentlyAttached = FieldKey<PBD, Bool>("currently_attached")
    public static let otherConfig = FieldKey<PBD, [String: String]>("other_config")
}
