// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `tunnel`.
public enum Tunnel: XenClass {
    public static let className = "tunnel"

    public static let uuid = FieldKey<Tunnel, String>("uuid")
    public static let accessPIF = FieldKey<Tunnel, Ref<PIF>>("access_PIF")
    public static let transportPIF = FieldKey<Tunnel, Ref<PIF>>("transport_PIF")
    public static let status = FieldKey<Tunnel, [String: String]>("status")
    public static let otherConfig = FieldKey<Tunnel, [String: String]>("other_config")
    public static let `protocol` = FieldKey<Tunnel, TunnelProtocol>("protocol")
}
