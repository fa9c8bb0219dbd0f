/// Writes JSON on one line.
public struct JSONWriter: ValueWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    static func write(_ value: WireValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    public mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    public mutating func append(_ written: [UInt8], _ range: Range<Int>) { bytes += written[range] }

    public mutating func int(_ number: Int64) { plain(String(number)) }
    public mutating func int32(_ number: Int32) { plain(String(number)) }
    public mutating func bool(_ flag: Bool) { plain(flag ? "true" : "false") }

    /// Keeps the mark of a float (`1.0`, not `1`). JSON has no infinities and no "not a number": those are null.
    public mutating func double(_ number: Double) {
        guard number.isFinite else { return plain("null") }
        let text = FloatText.format(number)
        plain(text)
        if !text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }) { plain(".0") }
    }

    public mutating func dateTime(_ seconds: Int64) { string(DateTimeText.format(seconds)) }

    public mutating func beginArray() { bytes.append(UInt8(ascii: "[")) }
    public mutating func beginElement(isFirst: Bool) { if !isFirst { bytes.append(UInt8(ascii: ",")) } }
    public mutating func endArray() { bytes.append(UInt8(ascii: "]")) }

    public mutating func beginStructure() { bytes.append(UInt8(ascii: "{")) }

    public mutating func beginMember(_ name: String, isFirst: Bool) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    public mutating func endMember() {}
    public mutating func endStructure() { bytes.append(UInt8(ascii: "}")) }

    /// The envelope of a success; its value follows.
    public mutating func beginSuccess(_ version: JSONRPC.Version) {
        plain(version == .v1 ? "{\"result\":" : "{\"jsonrpc\":\"2.0\",\"result\":")
    }

    public mutating func endSuccess(_ version: JSONRPC.Version, _ id: JSONRPC.Identifier) {
        plain(version == .v1 ? ",\"error\":null,\"id\":" : ",\"id\":")
        value(id.wire)
        endStructure()
    }

    // MARK: - Trees

    mutating func value(_ value: WireValue) {
        switch value {
        case .string(let text), .dateTime(let text), .base64(let text): string(text)
        case .int(let number): int(number)
        case .int32(let number): int32(number)
        case .bool(let flag): bool(flag)
        case .double(let number): double(number)
        case .array(let values):
            beginArray()
            for (index, value) in values.enumerated() {
                beginElement(isFirst: index == 0)
                self.value(value)
            }
            endArray()
        case .structure(let members):
            beginStructure()
            for (index, member) in members.enumerated() {
                beginMember(member.name, isFirst: index == 0)
                self.value(member.value)
            }
            endStructure()
        case .null: plain("null")
        }
    }

    // MARK: - Text

    private mutating func plain(_ text: String) { bytes.append(contentsOf: text.utf8) }

    public mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if !PlainText.append(text, to: &bytes, unless: Self.isSpecial, inWord: Self.special) { escaped(text) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The same for eight bytes at a time.
    @inline(__always)
    private static func special(_ word: ByteWord) -> UInt64 {
        word.less(than: 0x20) | word.equal(to: UInt8(ascii: "\"")) | word.equal(to: UInt8(ascii: "\\"))
    }

    @inline(__always)
    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: plain("\\n")
            case 0x0D: plain("\\r")
            case 0x09: plain("\\t")
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                plain("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: bytes.append(byte)
            }
        }
    }
}
