// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `data_source`.
public enum DataSource: XenClass {
    public static let className = "data_source"

    public static let nameLabel = FieldKey<DataSource, String>("name_label")
    public static let nameDescription = FieldKey<DataSource, String>("name_description")
    public static let enabled = FieldKey<DataSource, Bool>("enabled")
    public static let standard = FieldKey<DataSource, Bool>("standard")
    public static let units = FieldKey<DataSource, String>("units")
    public static let min = FieldKey<DataSource, Double>("min")
    public static let max = FieldKey<DataSource, Double>("max")
    public static let value = FieldKey<DataSource, Double>("value")
}
