// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `vdi_nbd_server_info`.
public enum VDINBDServerInfo: XenClass {
    public static let className = "vdi_nbd_server_info"

    public static let exportname = FieldKey<VDINBDServerInfo, String>("exportname")
    public static let address = FieldKey<VDINBDServerInfo, String>("address")
    public static let port = FieldKey<VDINBDServerInfo, Int64>("port")
    public static let cert = FieldKey<VDINBDServerInfo, String>("cert")
    public static let subject = FieldKey<VDINBDServerInfo, String>("subject")
}
