// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `auth`.
public enum Auth: XenClass {
    public static let className = "auth"
}
