// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `console`.
public enum XenConsole: XenClass {
    public static let className = "console"

    public static let uuid = FieldKey<XenConsole, String>("uuid")
    public static let `protocol` = FieldKey<XenConsole, ConsoleProtocol>("protocol")
    public static let location = FieldKey<XenConsole, String>("location")
    public static let vm = FieldKey<XenConsole, Ref<VM>>("VM")
    public static let otherConfig = FieldKey<XenConsole, [String: String]>("other_config")
    /// Never sent to clients.
    public static let port = FieldKey<XenConsole, Int64>("port")
}
