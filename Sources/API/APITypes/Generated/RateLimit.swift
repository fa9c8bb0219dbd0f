// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `Rate_limit`.
public enum RateLimit: XenClass {
    public static let className = "Rate_limit"

    public static let uuid = FieldKey<RateLimit, String>("uuid")
    public static let nameLabel = FieldKey<RateLimit, String>("name_label")
    public static let nameDescription = FieldKey<RateLimit, String>("name_description")
    public static let callers = FieldKey<RateLimit, [Ref<Caller>]>("callers")
    public static let burstSize = FieldKey<RateLimit, Double>("burst_size")
    public static let fillRate = FieldKey<RateLimit, Double>("fill_rate")
}
