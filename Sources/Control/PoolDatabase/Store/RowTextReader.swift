import APITypes

/// Reads what `RowText` writes, without blanks between tokens; nil for anything else.
struct RowTextReader {
    private let text: [UInt8]
    private var position = 0
    private static let deepest = 32

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func entries(depth: Int) -> [String: APIValue]? {
        guard depth < Self.deepest, take("{") else { return nil }
        var entries: [String: APIValue] = [:]
        if take("}") { return entries }
        repeat {
            guard let name = string(), take(":"), let value = value(depth: depth + 1) else { return nil }
            entries[name] = value
        } while take(",")
        return take("}") ? entries : nil
    }

    private mutating func value(depth: Int) -> APIValue? {
        guard depth < Self.deepest, position < text.count else { return nil }
        switch text[position] {
        case UInt8(ascii: "\""): return string().map(APIValue.string)
        case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return take("null") ? .void : nil
        case UInt8(ascii: "["): return list { $0.value(depth: depth + 1) }.map(APIValue.set)
        case UInt8(ascii: "{"): return tagged(depth: depth)
        default: return integer().map(APIValue.int)
        }
    }

    private mutating func tagged(depth: Int) -> APIValue? {
        let value: APIValue?
        if take("{\"f\":") {
            value = string().flatMap(Double.init).map(APIValue.float)
        } else if take("{\"t\":") {
            value = integer().map(APIValue.datetime)
        } else if take("{\"r\":") {
            value = string().map(APIValue.ref)
        } else if take("{\"m\":") {
            value = entries(depth: depth + 1).map(APIValue.map)
        } else if take("{\"o\":") {
            value = list { $0.member(depth: depth + 1) }.map(APIValue.record)
        } else {
            value = nil
        }
        guard let value, take("}") else { return nil }
        return value
    }

    private mutating func member(depth: Int) -> APIMember? {
        guard take("["), let name = string(), take(","), let value = value(depth: depth + 1), take("]") else {
            return nil
        }
        return APIMember(name, value)
    }

    private mutating func list<T>(_ item: (inout RowTextReader) -> T?) -> [T]? {
        guard take("[") else { return nil }
        var items: [T] = []
        if take("]") { return items }
        repeat {
            guard let next = item(&self) else { return nil }
            items.append(next)
        } while take(",")
        return take("]") ? items : nil
    }

    private mutating func integer() -> Int64? {
        let start = position
        while position < text.count, text[position] == UInt8(ascii: "-") || (0x30...0x39).contains(text[position]) {
            position += 1
        }
        return Int64(String(decoding: text[start..<position], as: UTF8.self))
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while position < text.count {
            let byte = text[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = escape() else { return nil }
                bytes.append(escaped)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> UInt8? {
        if take("\"") { return UInt8(ascii: "\"") }
        if take("\\") { return UInt8(ascii: "\\") }
        guard take("u00"), position + 2 <= text.count else { return nil }
        defer { position += 2 }
        return UInt8(String(decoding: text[position..<position + 2], as: UTF8.self), radix: 16)
    }

    private mutating func take(_ token: StaticString) -> Bool {
        let bytes = Array(token.description.utf8)
        guard position + bytes.count <= text.count, text[position..<position + bytes.count].elementsEqual(bytes) else {
            return false
        }
        position += bytes.count
        return true
    }
}
