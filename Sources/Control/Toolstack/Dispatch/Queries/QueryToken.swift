import APITypes

/// A word of the query language.
enum QueryToken: Hashable, Sendable {
    case text(String)
    case and, or, not, `true`, `false`, field
    case equal, open, close

    private static let words: [String: QueryToken] = [
        "and": .and, "or": .or, "not": .not, "true": .true, "false": .false, "field": .field,
    ]
    /// Bytes of the longest text that is read.
    static let longest = 256 << 10

    static func all(in text: String) throws(APIError) -> [QueryToken] {
        guard text.utf8.count <= longest else { throw invalid(text, "it is longer than \(longest) bytes") }
        var tokens: [QueryToken] = []
        var rest = text.utf8[...]
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): rest.removeFirst()
            case UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ")"):
                tokens.append(
                    byte == UInt8(ascii: "=") ? .equal : byte == UInt8(ascii: "(") ? .open : .close)
                rest.removeFirst()
            case UInt8(ascii: "\""):
                rest.removeFirst()
                guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else {
                    throw invalid(text, "a text does not end")
                }
                tokens.append(.text(String(Substring(rest[..<end]))))
                rest = rest[end...].dropFirst()
            default:
                let word = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
                guard let token = words[String(Substring(word))] else {
                    let unknown = word.isEmpty ? String(text[rest.startIndex]) : String(Substring(word))
                    throw invalid(text, "\(unknown) is not a word of it")
                }
                tokens.append(token)
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    static func invalid(_ text: String, _ detail: String) -> APIError { APIError("INVALID_VALUE", text, detail) }
}
