// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Feature`.
public enum Feature: XenClass {
    public static let className = "Feature"

    public static let uuid = FieldKey<Feature, String>("uuid")
    public static let nameLabel = FieldKey<Feature, String>("name_label")
    public static let nameDescription = FieldKey<Feature, String>("name_description")
    public static let enabled = FieldKey<Feature, Bool>("enabled")
    public static let experimental = FieldKey<Feature, Bool>("experimental")
    public static let version = FieldKey<Feature, String>("version")
    public static let host = FieldKey<Feature, Ref<Host>>("host")
}
