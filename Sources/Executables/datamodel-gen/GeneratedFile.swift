/// A file of the generated folder.
struct GeneratedFile {
    let name: String
    let text: String

    init(name: String, lines: [String]) {
        self.name = name
        text = ([Self.head, ""] + lines).joined(separator: "\n") + "\n"
    }

    private static let head = "// Generated from DataModel by scripts/generate.sh. Do not edit."
}
