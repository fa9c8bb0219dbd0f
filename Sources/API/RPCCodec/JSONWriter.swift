/// Writes wire values as JSON on one line.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    static func write(_ value: WireValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }

    private mutating func value(_ value: WireValue) {
        switch value {
        case .string(let text), .dateTime(let text): string(text)
        case .int(let number): bytes.append(contentsOf: Array(String(number).utf8))
        case .int32(let number): bytes.append(contentsOf: Array(String(number).utf8))
        case .bool(let flag): bytes.append(contentsOf: Array((flag ? "true" : "false").utf8))
        case .double(let number): bytes.append(contentsOf: Array(Self.text(number).utf8))
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                self.value(value)
            }
            bytes.append(UInt8(ascii: "]"))
        case .structure(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                string(member.name)
                bytes.append(UInt8(ascii: ":"))
                self.value(member.value)
            }
            bytes.append(UInt8(ascii: "}"))
        case .null: bytes.append(contentsOf: Array("null".utf8))
        }
    }

    /// Keeps the mark of a float (`1.0`, not `1`). JSON has no infinities and no "not a number": those are null.
    private static func text(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        let text = FloatText.format(number)
        return text.contains { $0 == "." || $0 == "e" } ? text : text + ".0"
    }

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: Array("\\n".utf8))
            case 0x0D: bytes.append(contentsOf: Array("\\r".utf8))
            case 0x09: bytes.append(contentsOf: Array("\\t".utf8))
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes.append(contentsOf: Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
