/// Writes XML-RPC in the spelling XenAPI clients know: strings and 64-bit ints without a tag.
public struct XMLRPCWriter: ValueWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    public mutating func append(_ written: [UInt8], _ range: Range<Int>) { bytes += written[range] }

    public mutating func string(_ text: String) {
        markup("<value>")
        escaped(text)
        markup("</value>")
    }

    public mutating func int(_ number: Int64) {
        markup("<value>")
        plain(String(number))
        markup("</value>")
    }

    public mutating func int32(_ number: Int32) {
        markup("<value><i4>")
        plain(String(number))
        markup("</i4></value>")
    }

    public mutating func bool(_ flag: Bool) {
        markup(flag ? "<value><boolean>1</boolean></value>" : "<value><boolean>0</boolean></value>")
    }

    public mutating func double(_ number: Double) {
        markup("<value><double>")
        plain(FloatText.format(number))
        markup("</double></value>")
    }

    public mutating func dateTime(_ seconds: Int64) { dateTime(text: DateTimeText.format(seconds)) }

    private mutating func dateTime(text: String) {
        markup("<value><dateTime.iso8601>")
        escaped(text)
        markup("</dateTime.iso8601></value>")
    }

    public mutating func beginArray() { markup("<value><array><data>") }
    public mutating func beginElement(isFirst: Bool) {}
    public mutating func endArray() { markup("</data></array></value>") }

    public mutating func beginStructure() { markup("<value><struct>") }

    public mutating func beginMember(_ name: String, isFirst: Bool) {
        markup("<member><name>")
        escaped(name)
        markup("</name>")
    }

    public mutating func endMember() { markup("</member>") }
    public mutating func endStructure() { markup("</struct></value>") }

    /// The envelope of a success; its value follows.
    public mutating func beginSuccess() {
        markup(XMLRPC.declaration)
        markup("<methodResponse><params><param>")
        beginStructure()
        beginMember("Status", isFirst: true)
        string("Success")
        endMember()
        beginMember("Value", isFirst: false)
    }

    public mutating func endSuccess() {
        endMember()
        endStructure()
        markup("</param></params></methodResponse>")
    }

    // MARK: - Trees

    mutating func value(_ value: WireValue) {
        switch value {
        case .string(let text): string(text)
        case .int(let number): int(number)
        case .int32(let number): int32(number)
        case .bool(let flag): bool(flag)
        case .double(let number): double(number)
        case .dateTime(let text): dateTime(text: text)
        case .array(let values):
            beginArray()
            for value in values { self.value(value) }
            endArray()
        case .structure(let members):
            beginStructure()
            for member in members {
                beginMember(member.name, isFirst: false)
                self.value(member.value)
                endMember()
            }
            endStructure()
        case .base64(let text):
            markup("<value><base64>")
            escaped(text)
            markup("</base64></value>")
        case .null: markup("<value><nil/></value>")
        }
    }

    // MARK: - Text

    @inline(__always)
    mutating func markup(_ text: StaticString) { bytes.append(text) }

    private mutating func plain(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// `<`, `>`, `&` and `"` as entities; a carriage return too, which readers would turn into a line feed.
    /// Other control characters cannot be written in XML and are dropped, as are U+FFFE and U+FFFF.
    mutating func escaped(_ text: String) {
        // Nearly every text is plain: one look at each byte, one copy.
        if PlainText.append(text, to: &bytes, unless: Self.isSpecial, inWord: Self.special) { return }
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

    /// The same for eight bytes at a time.
    @inline(__always)
    private static func special(_ word: ByteWord) -> UInt64 {
        // `<` and `>` differ in one bit, `"` and `&` in another one.
        word.less(than: 0x20) | word.clearing(0x02).equal(to: UInt8(ascii: "<"))
            | word.clearing(0x04).equal(to: UInt8(ascii: "\"")) | word.equal(to: 0xEF)
    }

    /// 0xEF begins U+FFFE and U+FFFF, among others.
    @inline(__always)
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "\""), 0..<0x20, 0xEF: true
        default: false
        }
    }
}
