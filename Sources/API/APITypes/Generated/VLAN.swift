// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VLAN`.
public enum VLAN: XenClass {
    public static let className = "VLAN"

    public static let uuid = FieldKey<VLAN, String>("uuid")
    public static let taggedPIF = FieldKey<VLAN, Ref<PIF>>("tagged_PIF")
    public static let untaggedPIF = FieldKey<VLAN, Ref<PIF>>("untagged_PIF")
    public static let tag = FieldKey<VLAN, Int64>("tag")
    public static let otherConfig = FieldKey<VLAN, [String: String]>("other_config")
}
