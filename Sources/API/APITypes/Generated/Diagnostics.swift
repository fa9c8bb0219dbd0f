// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Diagnostics`.
public enum Diagnostics: XenClass {
    public static let className = "Diagnostics"
}
