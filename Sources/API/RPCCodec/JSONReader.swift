/// Reads JSON (RFC 8259) into wire values. Strict: no comments, no trailing commas, no stray surrogates.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The whole text as one value.
    static func read(_ bytes: [UInt8]) throws(RPCError) -> WireValue {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 1)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("text after the end") }
        return value
    }

    private mutating func value(depth: Int) throws(RPCError) -> WireValue {
        guard depth <= WireLimits.depth else {
            throw RPCError(.tooDeep, "values nest deeper than \(WireLimits.depth)", at: position)
        }
        skipSpace()
        guard position < bytes.count else { throw failure("a value is due") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .structure(try members(depth: depth))
        case UInt8(ascii: "["): return .array(try elements(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func members(depth: Int) throws(RPCError) -> [WireMember] {
        position += 1
        var all: [WireMember] = []
        if accept("}") { return all }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw failure("a name is due") }
            let name = try string()
            guard accept(":") else { throw failure("a colon is due") }
            all.append(WireMember(name, try value(depth: depth + 1)))
            if accept("}") { return all }
            guard accept(",") else { throw failure("a comma is due") }
        }
    }

    private mutating func elements(depth: Int) throws(RPCError) -> [WireValue] {
        position += 1
        var all: [WireValue] = []
        if accept("]") { return all }
        while true {
            all.append(try value(depth: depth + 1))
            if accept("]") { return all }
            guard accept(",") else { throw failure("a comma is due") }
        }
    }

    private mutating func word(_ text: String, _ value: WireValue) throws(RPCError) -> WireValue {
        guard bytes[position...].starts(with: text.utf8) else { throw failure("not a word of JSON") }
        position += text.utf8.count
        return value
    }

    // MARK: - Numbers

    /// Whole numbers of up to 64 bits are ints, all others doubles.
    private mutating func number() throws(RPCError) -> WireValue {
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        let first = peek()
        guard skipDigits() > 0 else { throw failure("a value is due") }
        if first == UInt8(ascii: "0"), position > start + (bytes[start] == UInt8(ascii: "-") ? 2 : 1) {
            throw failure("a number begins with zero")
        }
        var isWhole = true
        if peek() == UInt8(ascii: ".") {
            position += 1
            isWhole = false
            guard skipDigits() > 0 else { throw failure("digits are due") }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            position += 1
            isWhole = false
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw failure("digits are due") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .int(whole) }
        guard let number = Double(text) else { throw failure("a number out of range") }
        return .double(number)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = peek(), byte >= 0x30, byte <= 0x39 { position += 1 }
        return position - start
    }

    // MARK: - Strings

    private mutating func string() throws(RPCError) -> String {
        position += 1
        let start = position
        var text: [UInt8] = []
        while let byte = peek() {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw RPCError(
                        .invalidUTF8, "a text is not UTF-8", at: start,
                        offendingText: String(decoding: text, as: UTF8.self))
                }
                return valid
            case UInt8(ascii: "\\"): try escape(to: &text)
            case 0..<0x20: throw failure("a control character")
            default: text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func escape(to text: inout [UInt8]) throws(RPCError) {
        guard let byte = peek() else { throw failure("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code) {
                guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                    throw failure("half a surrogate pair")
                }
                position += 2
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw failure("not an escape of JSON")
        }
    }

    private mutating func codeUnit() throws(RPCError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("four hexadecimal digits are due") }
        let digits = bytes[position..<position + 4]
        let text = String(decoding: digits, as: UTF8.self)
        guard !text.hasPrefix("+"), !text.hasPrefix("-"), let code = UInt32(text, radix: 16) else {
            throw failure("four hexadecimal digits are due")
        }
        position += 4
        return code
    }

    // MARK: - Bytes

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek(), XMLReader.isSpace(byte) { position += 1 }
    }

    private mutating func accept(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard let byte = peek(), UInt32(byte) == mark.value else { return false }
        position += 1
        return true
    }

    private func failure(_ message: String) -> RPCError { RPCError(.malformed, message, at: position) }
}
