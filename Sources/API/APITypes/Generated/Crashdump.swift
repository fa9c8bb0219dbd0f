// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `crashdump`.
public enum Crashdump: XenClass {
    public static let className = "crashdump"

    public static let uuid = FieldKey<Crashdump, String>("uuid")
    public static let vm = FieldKey<Crashdump, Ref<VM>>("VM")
    public static let vdi = FieldKey<Crashdump, Ref<VDI>>("VDI")
    public static let otherConfig = FieldKey<Crashdump, [String: String]>("other_config")
}
