// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `role`.
public enum Role: XenClass {
    public static let className = "role"

    public static let uuid = FieldKey<Role, String>("uuid")
    public static let nameLabel = FieldKey<Role, String>("name_label")
    public static let nameDescription = FieldKey<Role, String>("name_description")
    public static let subroles = FieldKey<Role, [Ref<Role>]>("subroles")
    public static let isInternal = FieldKey<Role, Bool>("is_internal")
}
