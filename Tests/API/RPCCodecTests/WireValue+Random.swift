import RPCCodec
import TestSupport

extension SeededRandom {
    /// A value of the kinds that survive a trip: in XML untagged ints come back as text and `i4` as an int, so those
    /// are left out there.
    mutating func value(depth: Int = 0, xml: Bool) -> WireValue {
        let kinds = depth < 4 ? 8 : 5
        switch Int.random(in: 0..<kinds, using: &self) {
        case 0, 1: return .string(text(xml: xml))
        case 2: return xml ? .string(String(Int64(bitPattern: next()))) : .int(Int64(bitPattern: next()))
        case 3: return .bool(Bool.random(using: &self))
        case 4: return xml ? .dateTime(DateTimeText.format(Int64.random(in: 0...4_000_000_000, using: &self))) : .null
        case 5, 6:
            return .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth + 1, xml: xml) })
        default:
            let count = Int.random(in: 0...4, using: &self)
            return .structure((0..<count).map { _ in WireMember(text(xml: xml), value(depth: depth + 1, xml: xml)) })
        }
    }

    mutating func text(xml: Bool) -> String {
        let letters: [Character] =
            [
                "a", "Z", "0", " ", "\n", "\t", "\r", "<", ">", "&", "\"", "'", "]", "é", "ß", "日", "😀", "\u{7F}",
                "\u{FFFD}", "\\", "/",
            ]
            + (xml ? [] : ["\u{0}", "\u{1F}", "\u{8}"])
        return String(
            (0..<Int.random(in: 0...12, using: &self)).map { _ in letters.randomElement(using: &self) ?? "x" })
    }
}
