public import CoreTypes

/// `preferred-image-formats` of a PBD's device_config: comma separated, any case, unknown words ignored. Empty: the
/// driver's own order.
public enum FormatPreference {
    public static let key = "preferred-image-formats"

    public static func read(_ configuration: [String: String], default formats: [ImageFormat]) -> [ImageFormat] {
        var wanted: [ImageFormat] = []
        for word in (configuration[key] ?? "").split(separator: ",") {
            let trimmed = word.filter { !$0.isWhitespace }
            if let format = ImageFormat(parsing: trimmed), formats.contains(format), !wanted.contains(format) {
                wanted.append(format)
            }
        }
        return wanted.isEmpty ? formats : wanted
    }
}
