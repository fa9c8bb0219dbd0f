import DataModel

/// The error codes of the datamodel as constants.
enum ErrorCodeFile {
    static var all: GeneratedFile {
        var lines = ["/// The codes an `APIError` may carry.", "public enum APIErrorCode {"]
        for declared in Datamodel.all.errors {
            if let text = declared.text { lines.append("    /// \(text)") }
            if !declared.parameters.isEmpty {
                lines += parameterComment(declared.parameters)
            }
            let start = "    public static let \(SwiftNames.constant(declared.code)) ="
            let code = "\"\(declared.code)\""
            if start.count + 1 + code.count <= 120 {
                lines.append(start + " " + code)
            } else {
                lines += [start, "        " + code]
            }
        }
        lines.append("}")
        return GeneratedFile(name: "APIErrorCode.swift", lines: lines)
    }

    private static func parameterComment(_ parameters: [String]) -> [String] {
        ["    /// Parameters: " + parameters.joined(separator: ", ") + "."]
    }
}
