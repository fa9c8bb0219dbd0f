// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PVS_server`.
public enum PVSServer: XenClass {
    public static let className = "PVS_server"

    public static let uuid = FieldKey<PVSServer, String>("uuid")
    public static let addresses = FieldKey<PVSServer, [String]>("addresses")
    public static let firstPort = FieldKey<PVSServer, Int64>("first_port")
    public static let lastPort = FieldKey<PVSServer, Int64>("last_port")
    public static let site = FieldKey<PVSServer, Ref<PVSSite>>("site")
}
