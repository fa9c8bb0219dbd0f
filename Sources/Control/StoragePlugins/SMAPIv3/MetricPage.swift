import CZlib
import CoreTypes
import RPCCodec
import StorageInterface

/// A file of shared memory in which a plugin keeps what it measures: protocol V2 of RRD plugins. All numbers are big-endian:
///
///     0   DATASOURCES
///     11  CRC-32 of the time and the values
///     15  CRC-32 of the description
///     19  number n of values, 32 bits
///     23  time of writing, seconds since 1970 as a 64-bit floating-point number
///     31  n values of 64 bits, each an integer or a floating-point number as its description says
///     …   length of the description, 32 bits, and the description: JSON, the values' members in their order
struct MetricPage {
    private static let mark = Array("DATASOURCES".utf8)
    private static let timeStart = 23
    private static let valuesStart = 31
    /// Bytes of a page at most.
    static let mostBytes = 256 << 10
    static let mostValues = 128
    private static let scheme = "xeno+shm:"

    let metrics: StorageMetrics

    /// The file's name in the folder of such files; nil when the URI of a data source is of another kind, or names another
    /// place.
    static func file(ofSource uri: String) -> String? {
        guard uri.hasPrefix(scheme) else { return nil }
        let name = uri.dropFirst(scheme.count).drop { $0 == "/" }
        guard isPlain(name, atMost: 200), !name.hasPrefix(".") else { return nil }
        return String(name)
    }

    /// Names that mean nothing else anywhere: letters, digits, `_`, `-` and `.`.
    private static func isPlain(_ name: some StringProtocol, atMost length: Int) -> Bool {
        (1...length).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    init(_ bytes: [UInt8]) throws(MisshapenRecord) {
        guard bytes.starts(with: Self.mark) else { throw MisshapenRecord(description: "it is no page of data sources") }
        let count = Int(try Self.number(bytes, 19, as: UInt32.self))
        guard count <= Self.mostValues else {
            throw MisshapenRecord(description: "\(count) data sources are more than \(Self.mostValues)")
        }
        let valuesEnd = Self.valuesStart + 8 * count
        let length = Int(try Self.number(bytes, valuesEnd, as: UInt32.self))
        let textStart = valuesEnd + 4
        guard length <= bytes.count - textStart else { throw MisshapenRecord(description: "it is cut off") }
        guard try Self.number(bytes, 11, as: UInt32.self) == Self.checksum(bytes[Self.timeStart..<valuesEnd]),
            try Self.number(bytes, 15, as: UInt32.self) == Self.checksum(bytes[textStart..<textStart + length])
        else { throw MisshapenRecord(description: "its checksum is wrong") }
        let time = Double(bitPattern: try Self.number(bytes, Self.timeStart, as: UInt64.self))
        let described = try Self.description(bytes[textStart..<textStart + length])
        guard described.count == count else {
            throw MisshapenRecord(description: "\(count) values have \(described.count) descriptions")
        }
        var all: [StorageMetric] = []
        for (index, member) in described.enumerated() {
            let bits = try Self.number(bytes, Self.valuesStart + 8 * index, as: UInt64.self)
            all.append(try Self.metric(member.name, try RecordReader(member.value), bits))
        }
        metrics = StorageMetrics(time: time, all: all)
    }

    private static func description(_ bytes: ArraySlice<UInt8>) throws(MisshapenRecord) -> [WireMember] {
        let value: WireValue
        do {
            value = try JSONText.decode(String(decoding: bytes, as: UTF8.self))
        } catch {
            throw MisshapenRecord(description: "its description is no JSON: \(error)")
        }
        guard case .structure(let members)? = value["datasources"] else {
            throw MisshapenRecord(description: "its description has no object datasources")
        }
        return members
    }

    private static func metric(
        _ name: String, _ record: RecordReader, _ bits: UInt64
    ) throws(MisshapenRecord) -> StorageMetric {
        guard isPlain(name, atMost: 100) else {
            throw MisshapenRecord(description: "the name \(name.prefix(100)) has more than letters, digits, _, - and .")
        }
        let value: Double
        switch try record.text("value_type") {
        case "int64": value = Double(Int64(bitPattern: bits))
        case "float": value = Double(bitPattern: bits)
        default: throw MisshapenRecord(description: "value_type of \(name) is neither int64 nor float")
        }
        let kind: StorageMetric.Kind
        switch try record.optionalText("type") ?? "absolute" {
        case "gauge": kind = .gauge
        case "derive": kind = .counter
        case "absolute": kind = .increase
        default: throw MisshapenRecord(description: "type of \(name) is neither gauge, derive nor absolute")
        }
        return StorageMetric(
            name: name, description: String(try record.optionalText("description")?.prefix(500) ?? ""),
            units: String(try record.optionalText("units")?.prefix(50) ?? ""),
            owner: try owner(try record.optionalText("owner") ?? "host"), kind: kind, value: value,
            minimum: try bound(record, "min", -.infinity), maximum: try bound(record, "max", .infinity),
            isDefault: try record.optionalText("default") != "false")
    }

    private static func owner(_ text: String) throws(MisshapenRecord) -> StorageMetric.Owner {
        let words = text.lowercased().split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("host", 1): return .host
        case ("vm", 2): return .machine(words[1])
        case ("sr", 2): return .repository(words[1])
        default: throw MisshapenRecord(description: "the owner \(text.prefix(99)) is neither host, vm UUID nor sr UUID")
        }
    }

    private static func bound(
        _ record: RecordReader, _ name: String, _ missing: Double
    ) throws(MisshapenRecord) -> Double {
        guard let text = try record.optionalText(name) else { return missing }
        guard let number = Double(text), !number.isNaN else {
            throw MisshapenRecord(description: "\(name) is no number")
        }
        return number
    }

    private static func number<N: FixedWidthInteger & UnsignedInteger>(
        _ bytes: [UInt8], _ start: Int, as type: N.Type
    ) throws(MisshapenRecord) -> N {
        let end = start + N.bitWidth / 8
        guard end <= bytes.count else { throw MisshapenRecord(description: "it is cut off") }
        return bytes[start..<end].reduce(0) { $0 << 8 | N($1) }
    }

    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        // SAFETY: zlib reads the slice's own bytes, whose number is below `mostBytes`, and keeps nothing.
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.bindMemory(to: UInt8.self).baseAddress
            return UInt32(truncatingIfNeeded: unsafe crc32(0, start, UInt32(buffer.count)))
        }
    }
}
