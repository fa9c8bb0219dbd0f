/// The layout of one record: `label: value` lines whose colons stand below each other.
enum RecordLayout {
    /// The first label is padded on its right, the others on their left, to 4 more than the longest.
    /// Ends with a newline and an empty line; the printer's own newline makes it two.
    static func block(_ lines: [(label: String, value: String)]) -> String {
        let width = 4 + (lines.map(\.label.count).max() ?? 0)
        var text = ""
        for (index, line) in lines.enumerated() {
            let padding = String(repeating: " ", count: width - line.label.count)
            text += index == 0 ? line.label + padding : padding + line.label
            text += ": " + line.value + "\n"
        }
        return text + "\n"
    }

    /// The values of `--minimal`: joined with commas; commas and backslashes inside are escaped.
    static func minimal(_ values: [String]) -> String {
        values.map { value in
            value.replacing("\\", with: "\\\\").replacing(",", with: "\\,")
        }.joined(separator: ",")
    }
}
