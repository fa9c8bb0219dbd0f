import FoundationEssentials

/// JSON as the commands print it: members in a fixed order, slashes as they are.
enum JSONText {
    /// Several indented lines.
    static func pretty(_ value: some Encodable) throws -> String {
        try text(value, [.prettyPrinted])
    }

    /// One line.
    static func line(_ value: some Encodable) throws -> String { try text(value, []) }

    private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
