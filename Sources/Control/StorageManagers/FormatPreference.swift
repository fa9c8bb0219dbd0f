public import CoreTypes

/// `preferred-image-formats` of a PBD's device_config: comma separated, any case; words that are no supported
/// format are ignored.
public enum FormatPreference {
    public static let key = "preferred-image-formats"

    public static func read(_ configuration: [String: String], supported: [ImageFormat]) -> [ImageFormat] {
        var wanted: [ImageFormat] = []
        for word in (configuration[key] ?? "").split(separator: ",") {
            let trimmed = word.filter { !$0.isWhitespace }
            if let format = ImageFormat(parsing: trimmed), supported.contains(format), !wanted.contains(format) {
                wanted.append(format)
            }
        }
        return wanted
    }
}
