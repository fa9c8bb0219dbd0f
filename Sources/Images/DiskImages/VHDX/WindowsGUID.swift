/// A GUID as Windows stores it: the first three fields little-endian, the rest as written.
struct WindowsGUID: Hashable, Sendable {
    private let low: UInt64
    private let high: UInt64

    static let zero = WindowsGUID(low: 0, high: 0)

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    init(_ fields: LittleEndianBytes, at offset: Int) {
        low = fields.u64(offset)
        high = fields.u64(offset + 8)
    }

    /// From the usual text, with or without braces; nil when it is none.
    init?(_ text: some StringProtocol) {
        var digits: [UInt8] = []
        for character in text.utf8 where character != UInt8(ascii: "-") {
            if character == UInt8(ascii: "{") || character == UInt8(ascii: "}") { continue }
            guard let digit = Character(UnicodeScalar(character)).hexDigitValue else { return nil }
            digits.append(UInt8(digit))
        }
        guard digits.count == 32 else { return nil }
        let written = (0..<16).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
        let stored = Self.order.map { written[$0] }
        self.init(LittleEndianBytes(stored), at: 0)
    }

    /// Byte n of the file is byte `order[n]` of the text, and the other way round.
    private static let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

    /// The 16 bytes of the file.
    var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? low : high) >> (8 * UInt64($0 % 8))) }
    }

    /// Lower case, without braces.
    var text: String {
        let bytes = bytes
        var text = ""
        for (index, position) in Self.order.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += bytes[position] < 16 ? "0" : ""
            text += String(bytes[position], radix: 16)
        }
        return text
    }
}
