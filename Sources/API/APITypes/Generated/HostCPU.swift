// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `host_cpu`.
public enum HostCPU: XenClass {
    public static let className = "host_cpu"

    public static let uuid = FieldKey<HostCPU, String>("uuid")
    public static let host = FieldKey<HostCPU, Ref<Host>>("host")
    public static let number = FieldKey<HostCPU, Int64>("number")
    public static let vendor = FieldKey<HostCPU, String>("vendor")
    public static let speed = FieldKey<HostCPU, Int64>("speed")
    public static let modelname = FieldKey<HostCPU, String>("modelname")
    public static let family = FieldKey<HostCPU, Int64>("family")
    public static let model = FieldKey<HostCPU, Int64>("model")
    public static let stepping = FieldKey<HostCPU, String>("stepping")
    public static let flags = FieldKey<HostCPU, String>("flags")
    public static let features = FieldKey<HostCPU, String>("features")
    public static let utilisation = FieldKey<HostCPU, Double>("utilisation")
    public static let otherConfig = FieldKey<HostCPU, [String: String]>("other_config")
}
