import APITypes

/// The form of a row's fields in the file: for each value the number of its field's name (in the table `names`), a byte
/// that says its kind, and the value. Numbers are of variable length, seven bits a byte, lowest first; signed ones fold
/// the sign into the lowest bit. Texts, sets, maps and records begin with their count.
enum RowCodec {
    enum Kind: UInt8 {
        case void, string, int, no, yes, float, datetime, ref, set, map, record
    }

    /// Values nested deeper than this are not read.
    static let deepest = 32

    static func encode(_ values: FieldValues, names: [UInt64?]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 * values.count)
        values.forEach { position, value in
            guard let name = names[position] else { return }
            append(name, to: &bytes)
            append(value, to: &bytes)
        }
        return bytes
    }

    private static func append(_ value: APIValue, to bytes: inout [UInt8]) {
        switch value {
        case .void: bytes.append(Kind.void.rawValue)
        case .string(let text):
            bytes.append(Kind.string.rawValue)
            append(text, to: &bytes)
        case .int(let number):
            bytes.append(Kind.int.rawValue)
            append(number, to: &bytes)
        case .bool(let flag): bytes.append((flag ? Kind.yes : .no).rawValue)
        case .float(let number):
            bytes.append(Kind.float.rawValue)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift))
            }
        case .datetime(let seconds):
            bytes.append(Kind.datetime.rawValue)
            append(seconds, to: &bytes)
        case .ref(let ref):
            bytes.append(Kind.ref.rawValue)
            append(ref, to: &bytes)
        case .set(let values):
            bytes.append(Kind.set.rawValue)
            append(UInt64(values.count), to: &bytes)
            for value in values { append(value, to: &bytes) }
        case .map(let entries):
            bytes.append(Kind.map.rawValue)
            append(UInt64(entries.count), to: &bytes)
            for (key, value) in entries {
                append(key, to: &bytes)
                append(value, to: &bytes)
            }
        case .record(let members):
            bytes.append(Kind.record.rawValue)
            append(UInt64(members.count), to: &bytes)
            for member in members {
                append(member.name, to: &bytes)
                append(member.value, to: &bytes)
            }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private static func append(_ number: Int64, to bytes: inout [UInt8]) {
        append(UInt64(bitPattern: number << 1 ^ number >> 63), to: &bytes)
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads what `RowCodec` writes; nil for anything else.
struct RowDecoder {
    private let bytes: [UInt8]
    private var offset = 0
    /// Equal references become one text.
    var interned: Interning?

    init(_ bytes: [UInt8], interned: Interning? = nil) {
        self.bytes = bytes
        self.interned = interned
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func number() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = UInt64(bytes[offset])
            offset += 1
            guard shift < 63 || byte <= 1 else { return nil }
            number |= (byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    mutating func value(depth: Int = 0) -> APIValue? {
        guard depth < RowCodec.deepest, offset < bytes.count, let kind = RowCodec.Kind(rawValue: bytes[offset]) else {
            return nil
        }
        offset += 1
        switch kind {
        case .void: return .void
        case .no: return .bool(false)
        case .yes: return .bool(true)
        case .string: return text().map(APIValue.string)
        case .ref: return text().map { .ref(interned?.one($0) ?? $0) }
        case .int: return signed().map(APIValue.int)
        case .datetime: return signed().map(APIValue.datetime)
        case .float: return float().map(APIValue.float)
        case .set: return list { $0.value(depth: depth + 1) }.map(APIValue.set)
        case .map:
            guard let entries = list({ $0.member(depth: depth) }) else { return nil }
            return .map(Dictionary(entries.map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last }))
        case .record: return list { $0.member(depth: depth) }.map(APIValue.record)
        }
    }

    private mutating func list<T>(_ item: (inout RowDecoder) -> T?) -> [T]? {
        // Every item has a byte at least: a count that promises more is no count.
        guard let count = number(), count <= UInt64(bytes.count - offset) else { return nil }
        var items: [T] = []
        items.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let next = item(&self) else { return nil }
            items.append(next)
        }
        return items
    }

    private mutating func member(depth: Int) -> APIMember? {
        guard let name = text(), let value = value(depth: depth + 1) else { return nil }
        return APIMember(name, value)
    }

    private mutating func text() -> String? {
        guard let count = number(), count <= UInt64(bytes.count - offset) else { return nil }
        defer { offset += Int(count) }
        return String(validating: bytes[offset..<offset + Int(count)], as: UTF8.self)
    }

    private mutating func signed() -> Int64? {
        number().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    private mutating func float() -> Double? {
        guard offset + 8 <= bytes.count else { return nil }
        var bits: UInt64 = 0
        for index in 0..<8 { bits |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        offset += 8
        return Double(bitPattern: bits)
    }
}

/// Makes equal texts one, while rows are loaded.
final class Interning {
    private var texts: Set<String> = []

    func one(_ text: String) -> String {
        let (_, member) = texts.insert(text)
        return member
    }
}
