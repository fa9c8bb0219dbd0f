// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `blob`.
public enum Blob: XenClass {
    public static let className = "blob"

    public static let uuid = FieldKey<Blob, String>("uuid")
    public static let nameLabel = FieldKey<Blob, String>("name_label")
    public static let nameDescription = FieldKey<Blob, String>("name_description")
    public static let size = FieldKey<Blob, Int64>("size")
    public static let `public` = FieldKey<Blob, Bool>("public")
    public static let lastUpdated = FieldKey<Blob, APIDate>("last_updated")
    public static let mimeType = FieldKey<Blob, String>("mime_type")
}
