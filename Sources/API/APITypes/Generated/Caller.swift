// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Caller`.
public enum Caller: XenClass {
    public static let className = "Caller"

    public static let uuid = FieldKey<Caller, String>("uuid")
    public static let nameLabel = FieldKey<Caller, String>("name_label")
    public static let nameDescription = FieldKey<Caller, String>("name_description")
    public static let userAgent = FieldKey<Caller, String>("user_agent")
    public static let clientIP = FieldKey<Caller, String>("client_ip")
    public static let lastAccess = FieldKey<Caller, APIDate>("last_access")
    public static let groups = FieldKey<Caller, [String]>("groups")
    public static let rateLimit = FieldKey<Caller, Ref<RateLimit>>("rate_limit")
    public static let autoRegistered = FieldKey<Caller, Bool>("auto_registered")
}
