/// Writes values in the spelling XenAPI clients know: strings and 64-bit ints without a tag.
struct XMLRPCEncoder {
    private(set) var bytes: [UInt8] = []

    mutating func markup(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func value(_ value: WireValue) {
        markup("<value>")
        switch value {
        case .string(let text): escaped(text)
        case .int(let number): escaped(String(number))
        case .int32(let number):
            markup("<i4>")
            escaped(String(number))
            markup("</i4>")
        case .bool(let flag): markup(flag ? "<boolean>1</boolean>" : "<boolean>0</boolean>")
        case .double(let number):
            markup("<double>")
            escaped(FloatText.format(number))
            markup("</double>")
        case .dateTime(let text):
            markup("<dateTime.iso8601>")
            escaped(text)
            markup("</dateTime.iso8601>")
        case .array(let values):
            markup("<array><data>")
            for value in values { self.value(value) }
            markup("</data></array>")
        case .structure(let members):
            markup("<struct>")
            for member in members {
                markup("<member><name>")
                escaped(member.name)
                markup("</name>")
                self.value(member.value)
                markup("</member>")
            }
            markup("</struct>")
        case .null: markup("<nil/>")
        }
        markup("</value>")
    }

    /// `<`, `>`, `&` and `"` as entities; a carriage return too, which readers would turn into a line feed.
    /// Other control characters cannot be written in XML and are dropped, as are U+FFFE and U+FFFF.
    mutating func escaped(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": markup("&lt;")
            case ">": markup("&gt;")
            case "&": markup("&amp;")
            case "\"": markup("&quot;")
            case "\r": markup("&#13;")
            case "\t", "\n": bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            case "\u{FFFE}", "\u{FFFF}": break
            default:
                if scalar.value < 0x20 { continue }
                if scalar.isASCII {
                    bytes.append(UInt8(truncatingIfNeeded: scalar.value))
                } else {
                    for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { bytes.append(unit) }
                }
            }
        }
    }
}
