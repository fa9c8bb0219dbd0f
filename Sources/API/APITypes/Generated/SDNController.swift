// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `SDN_controller`.
public enum SDNController: XenClass {
    public static let className = "SDN_controller"

    public static let uuid = FieldKey<SDNController, String>("uuid")
    public static let `protocol` = FieldKey<SDNController, SDNControllerProtocol>("protocol")
    public static let address = FieldKey<SDNController, String>("address")
    public static let port = FieldKey<SDNController, Int64>("port")
}
