import APITypes
import RPCCodec

/// A value as the text that queries compare: sets and maps are S-expressions of single-quoted atoms.
enum ColumnText {
    static func format(_ value: APIValue) -> String {
        switch value {
        case .string(let text), .ref(let text): text
        case .int(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .float(let number): FloatText.format(number)
        case .datetime(let seconds): DateTimeText.format(seconds)
        case .set(let values): "(\(values.map(atom).joined(separator: " ")))"
        case .map(let entries): pairs(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        case .record(let members): pairs(members.map { ($0.name, $0.value) })
        case .void: ""
        }
    }

    /// Whether `format` gives this text. Makes no text for the kinds of values that most fields have.
    static func isEqual(_ value: APIValue, _ text: String) -> Bool {
        switch value {
        case .string(let own), .ref(let own): own == text
        case .bool(let flag): text == (flag ? "true" : "false")
        default: format(value) == text
        }
    }

    private static func pairs(_ pairs: [(String, APIValue)]) -> String {
        "(\(pairs.map { "(\(atom(.string($0))) \(atom($1)))" }.joined(separator: " ")))"
    }

    private static func atom(_ value: APIValue) -> String {
        switch value {
        case .set, .map, .record: return format(value)
        default:
            let text = format(value).replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return "'\(text)'"
        }
    }
}
