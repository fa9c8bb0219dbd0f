/// A number of bytes, written and read as people and `xe` write it (`16GiB`, `512 MB`: both binary).
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let bytes: UInt64

    public init(_ bytes: UInt64) { self.bytes = bytes }

    public static func kibibytes(_ n: UInt64) -> ByteCount { ByteCount(n << 10) }
    public static func mebibytes(_ n: UInt64) -> ByteCount { ByteCount(n << 20) }
    public static func gibibytes(_ n: UInt64) -> ByteCount { ByteCount(n << 30) }

    public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

    /// Reads a decimal integer with an optional suffix: B/bytes, K/KB/KiB, M…, G…, T…, P… (all binary, any case).
    /// Nil when the text is anything else or does not fit 64 bits. Source: xe CLI size grammar.
    public init?(parsing text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = UInt64(digits) else { return nil }
        let suffix = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let shift: UInt64
        switch suffix {
        case "", "b", "bytes": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        case "t", "tb", "tib": shift = 40
        case "p", "pb", "pib": shift = 50
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        if overflow { return nil }
        self.bytes = bytes
    }

    /// Three significant digits and a binary unit, e.g. `1.50 GiB`, `512 B`.
    public var description: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2
        let scale = [1.0, 10.0, 100.0][decimals]
        let scaled = UInt64((value * scale).rounded())
        let whole = scaled / UInt64(scale)
        if decimals == 0 { return "\(whole) \(units[unit])" }
        let fraction = String(scaled % UInt64(scale))
        return "\(whole).\(String(repeating: "0", count: decimals - fraction.count))\(fraction) \(units[unit])"
    }
}
