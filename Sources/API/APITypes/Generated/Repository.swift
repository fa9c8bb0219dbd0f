// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Repository`.
public enum Repository: XenClass {
    public static let className = "Repository"

    public static let uuid = FieldKey<Repository, String>("uuid")
    public static let nameLabel = FieldKey<Repository, String>("name_label")
    public static let nameDescription = FieldKey<Repository, String>("name_description")
    public static let binaryURL = FieldKey<Repository, String>("binary_url")
    public static let sourceURL = FieldKey<Repository, String>("source_url")
    public static let update = FieldKey<Repository, Bool>("update")
    public static let hash = FieldKey<Repository, String>("hash")
    public static let upToDate = FieldKey<Repository, Bool>("up_to_date")
    public static let gpgkeyPath = FieldKey<Repository, String>("gpgkey_path")
    public static let origin = FieldKey<Repository, UpdateOrigin>("origin")
    public static let certificate = FieldKey<Repository, String>("certificate")
}
