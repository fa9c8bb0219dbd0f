// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `user`.
public enum User: XenClass {
    public static let className = "user"

    public static let uuid = FieldKey<User, String>("uuid")
    public static let shortName = FieldKey<User, String>("short_name")
    public static let fullname = FieldKey<User, String>("fullname")
    public static let otherConfig = FieldKey<User, [String: String]>("other_config")
}
