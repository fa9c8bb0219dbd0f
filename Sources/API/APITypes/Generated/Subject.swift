// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `subject`.
public enum Subject: XenClass {
    public static let className = "subject"

    public static let uuid = FieldKey<Subject, String>("uuid")
    public static let subjectIdentifier = FieldKey<Subject, String>("subject_identifier")
    public static let otherConfig = FieldKey<Subject, [String: String]>("other_config")
    public static let roles = FieldKey<Subject, [Ref<Role>]>("roles")
}
