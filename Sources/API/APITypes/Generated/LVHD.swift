// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `LVHD`.
public enum LVHD: XenClass {
    public static let className = "LVHD"

    public static let uuid = FieldKey<LVHD, String>("uuid")
}
