// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Observer`.
public enum Observer: XenClass {
    public static let className = "Observer"

    public static let uuid = FieldKey<Observer, String>("uuid")
    public static let nameLabel = FieldKey<Observer, String>("name_label")
    public static let nameDescription = FieldKey<Observer, String>("name_description")
    public static let hosts = FieldKey<Observer, [Ref<Host>]>("hosts")
    public static let attributes = FieldKey<Observer, [String: String]>("attributes")
    public static let endpoints = FieldKey<Observer, [String]>("endpoints")
    public static let components = FieldKey<Observer, [String]>("components")
    public static let enabled = FieldKey<Observer, Bool>("enabled")
}
