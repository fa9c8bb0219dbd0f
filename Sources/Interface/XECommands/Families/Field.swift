/// One field of a family: a line of its table, `name MARKER[flags] [source[:styles]]`.
/// Flags: `!` deprecated, `$` expensive to compute, `~` hidden. Without a source the field is the record's member of
/// the same name with underscores.
struct Field: Sendable {
    /// As printed and as given on the command line, e.g. `name-label`.
    let name: String
    let marker: FieldMarker
    let isDeprecated: Bool
    /// Lists print a placeholder instead.
    let isExpensive: Bool
    let isHidden: Bool
    let source: FieldSource
    let styles: Set<FieldStyle>

    /// The left side of an output line before padding.
    var label: String { name + marker.label + (isDeprecated ? " [DEPRECATED]" : "") }

    /// Nil when the line is not of the form above.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 2 || words.count == 3 else { return nil }
        name = String(words[0])
        let flags = words[1].drop { $0.isLetter }
        guard let marker = FieldMarker(rawValue: String(words[1].prefix { $0.isLetter })) else { return nil }
        self.marker = marker
        isDeprecated = flags.contains("!")
        isExpensive = flags.contains("$")
        isHidden = flags.contains("~")
        let member = name.replacing("-", with: "_")
        let parts = (words.count == 3 ? String(words[2]) : member).split(separator: ":", maxSplits: 1)
        guard let source = parts.first.flatMap({ FieldSource($0) }) else { return nil }
        self.source = source
        var styles: Set<FieldStyle> = []
        for style in parts.dropFirst().first?.split(separator: ",") ?? [] {
            guard let style = FieldStyle(rawValue: String(style)) else { return nil }
            styles.insert(style)
        }
        self.styles = styles
    }
}
