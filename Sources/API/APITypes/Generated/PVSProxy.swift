// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PVS_proxy`.
public enum PVSProxy: XenClass {
    public static let className = "PVS_proxy"

    public static let uuid = FieldKey<PVSProxy, String>("uuid")
    public static let site = FieldKey<PVSProxy, Ref<PVSSite>>("site")
    public static let vif = FieldKey<PVSProxy, Ref<VIF>>("VIF")
    public static let currentlyAttached = FieldKey<PVSProxy, Bool>("currently_attached")
    public static let status = FieldKey<PVSProxy, PVSProxyStatus>("status")
}
