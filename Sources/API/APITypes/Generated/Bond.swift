// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Bond`.
public enum Bond: XenClass {
    public static let className = "Bond"

    public static let uuid = FieldKey<Bond, String>("uuid")
    public static let master = FieldKey<Bond, Ref<PIF>>("master")
    public static let slaves = FieldKey<Bond, [Ref<PIF>]>("slaves")
    public static let otherConfig = FieldKey<Bond, [String: String]>("other_config")
    public static let primarySlave = FieldKey<Bond, Ref<PIF>>("primary_slave")
    public static let mode = FieldKey<Bond, BondMode>("mode")
    public static let properties = FieldKey<Bond, [String: String]>("properties")
    public static let linksUp = FieldKey<Bond, Int64>("links_up")
    public static let autoUpdateMAC = FieldKey<Bond, Bool>("auto_update_mac")
}
