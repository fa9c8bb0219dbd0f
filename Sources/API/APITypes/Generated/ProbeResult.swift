// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `probe_result`.
public enum ProbeResult: XenClass {
    public static let className = "probe_result"

    public static let configuration = FieldKey<ProbeResult, [String: String]>("configuration")
    public static let complete = FieldKey<ProbeResult, Bool>("complete")
    public static let sr = FieldKey<ProbeResult, APIValue>("sr")
    public static let extraInfo = FieldKey<ProbeResult, [String: String]>("extra_info")
}
