// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `secret`.
public enum Secret: XenClass {
    public static let className = "secret"

    public static let uuid = FieldKey<Secret, String>("uuid")
    public static let value = FieldKey<Secret, String>("value")
    public static let otherConfig = FieldKey<Secret, [String: String]>("other_config")
}
