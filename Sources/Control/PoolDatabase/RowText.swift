import APITypes

/// The text form of a row's fields in the file: JSON that says each value's kind, so that reading it needs no schema.
///
/// string `"a"` · int `1` · bool `true` · set `[…]` · void `null` · float `{"f":"0.5"}` · datetime `{"t":0}` ·
/// ref `{"r":"OpaqueRef:…"}` · map `{"m":{…}}` · record `{"o":[["name",…],…]}`
enum RowText {
    static func encode(_ fields: [String: APIValue]) -> String {
        var text: [UInt8] = []
        append(fields, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when the text is not of this form.
    static func decode(_ text: String) -> [String: APIValue]? {
        var reader = RowTextReader(Array(text.utf8))
        guard let fields = reader.entries(depth: 0), reader.isAtEnd else { return nil }
        return fields
    }

    private static func append(_ entries: [String: APIValue], to text: inout [UInt8]) {
        text.append(UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) {
            if !isFirst { text.append(UInt8(ascii: ",")) }
            isFirst = false
            append(name, to: &text)
            text.append(UInt8(ascii: ":"))
            append(value, to: &text)
        }
        text.append(UInt8(ascii: "}"))
    }

    private static func append(_ value: APIValue, to text: inout [UInt8]) {
        switch value {
        case .string(let string): append(string, to: &text)
        case .int(let number): text += String(number).utf8
        case .bool(let flag): text += (flag ? "true" : "false").utf8
        case .float(let number): text += "{\"f\":\"\(number)\"}".utf8
        case .datetime(let seconds): text += "{\"t\":\(seconds)}".utf8
        case .ref(let ref):
            text += "{\"r\":".utf8
            append(ref, to: &text)
            text.append(UInt8(ascii: "}"))
        case .set(let values): append(values, to: &text) { append($0, to: &$1) }
        case .map(let entries):
            text += "{\"m\":".utf8
            append(entries, to: &text)
            text.append(UInt8(ascii: "}"))
        case .record(let members):
            text += "{\"o\":".utf8
            append(members, to: &text) { member, text in
                text.append(UInt8(ascii: "["))
                append(member.name, to: &text)
                text.append(UInt8(ascii: ","))
                append(member.value, to: &text)
                text.append(UInt8(ascii: "]"))
            }
            text.append(UInt8(ascii: "}"))
        case .void: text += "null".utf8
        }
    }

    private static func append<T>(
        _ items: [T], to text: inout [UInt8], _ each: (T, inout [UInt8]) -> Void
    ) {
        text.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            each(item, &text)
        }
        text.append(UInt8(ascii: "]"))
    }

    private static func append(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
