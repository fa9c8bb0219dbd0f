// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `sr_stat`.
public enum SRStat: XenClass {
    public static let className = "sr_stat"

    public static let uuid = FieldKey<SRStat, String>("uuid")
    public static let nameLabel = FieldKey<SRStat, String>("name_label")
    public static let nameDescription = FieldKey<SRStat, String>("name_description")
    public static let freeSpace = FieldKey<SRStat, Int64>("free_space")
    public static let totalSpace = FieldKey<SRStat, Int64>("total_space")
    public static let clustered = FieldKey<SRStat, Bool>("clustered")
    public static let health = FieldKey<SRStat, SRHealth>("health")
}
