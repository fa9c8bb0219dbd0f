/// The little of XML that XML-RPC needs: tags, text, comments, character data, the five named entities and numbers.
/// Document types and processing instructions are refused, so no input can grow beyond its own size.
struct XMLReader {
    enum Token: Equatable {
        case open(String)
        /// `<name/>`
        case empty(String)
        case close(String)
        case end
    }

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) throws(RPCError) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if starts("<?xml") { try skipDeclaration() }
    }

    /// The next tag and the text before it. Comments vanish; character data is text.
    mutating func next() throws(RPCError) -> (text: [UInt8], token: Token) {
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "<"):
                if starts("<!--") {
                    try skip(past: "-->", from: position + 4)
                } else if starts("<![CDATA[") {
                    let begin = position + 9
                    try skip(past: "]]>", from: begin)
                    for byte in bytes[begin..<position - 3] { try append(byte, to: &text) }
                } else {
                    return (text, try tag())
                }
            case UInt8(ascii: "&"):
                try appendEntity(to: &text)
            case 0x0D:
                // Line ends are one line feed, whatever they were.
                text.append(0x0A)
                position += 1
                if position < bytes.count, bytes[position] == 0x0A { position += 1 }
            default:
                try append(byte, to: &text)
                position += 1
            }
        }
        return (text, .end)
    }

    /// The next tag, with nothing but white space before it.
    mutating func nextTag() throws(RPCError) -> Token {
        let start = position
        let (text, token) = try next()
        guard text.allSatisfy(Self.isSpace) else { throw RPCError(.malformed, "text where a tag is due", at: start) }
        return token
    }

    func failure(_ message: String) -> RPCError { RPCError(.malformed, message, at: position) }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    // MARK: - Tags

    private mutating func tag() throws(RPCError) -> Token {
        position += 1
        guard position < bytes.count else { throw failure("the text ends in a tag") }
        switch bytes[position] {
        case UInt8(ascii: "!"): throw RPCError(.forbidden, "document types are not accepted", at: position)
        case UInt8(ascii: "?"): throw RPCError(.forbidden, "processing instructions are not accepted", at: position)
        default: break
        }
        let closing = bytes[position] == UInt8(ascii: "/")
        if closing { position += 1 }
        let name = try tagName()
        var isEmpty = false
        if closing { skipSpace() } else { isEmpty = try skipAttributes() }
        guard position < bytes.count, bytes[position] == UInt8(ascii: ">") else { throw failure("a tag does not end") }
        position += 1
        if closing { return .close(name) }
        return isEmpty ? .empty(name) : .open(name)
    }

    /// Longest tag of the protocol: `dateTime.iso8601`.
    private mutating func tagName() throws(RPCError) -> String {
        let start = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        guard position > start, position - start <= 64 else { throw failure("this is not the name of a tag") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ":"): true
        default: false
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    /// Attributes mean nothing here. True when the tag closes itself; `position` is then at its `>`.
    private mutating func skipAttributes() throws(RPCError) -> Bool {
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return false
            } else if byte == UInt8(ascii: "/") {
                position += 1
                return true
            } else if byte == UInt8(ascii: "<") {
                break
            }
            position += 1
        }
        throw failure("a tag does not end")
    }

    /// `<?xml version="1.0" encoding="…"?>`: only UTF-8 and its subset are read.
    private mutating func skipDeclaration() throws(RPCError) {
        let start = position
        try skip(past: "?>", from: position)
        let text = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
        guard let at = text.firstRange(of: "encoding") else { return }
        let rest = text[at.upperBound...]
        guard rest.contains("utf-8") || rest.contains("utf8") || rest.contains("us-ascii") else {
            throw RPCError(.forbidden, "only UTF-8 is accepted", at: start)
        }
    }

    private mutating func skip(past mark: String, from start: Int) throws(RPCError) {
        let first = mark.utf8.first
        position = start
        while position < bytes.count {
            if bytes[position] == first, starts(mark) {
                position += mark.utf8.count
                return
            }
            position += 1
        }
        throw failure("the text ends in the middle of markup")
    }

    // MARK: - Text

    private func append(_ byte: UInt8, to text: inout [UInt8]) throws(RPCError) {
        guard byte >= 0x20 || Self.isSpace(byte) else { throw failure("a control character") }
        text.append(byte)
    }

    private mutating func appendEntity(to text: inout [UInt8]) throws(RPCError) {
        // The longest is `&#x10FFFF;`; leading zeros are nobody's need.
        let limit = min(bytes.count, position + 12)
        guard let end = bytes[position..<limit].firstIndex(of: UInt8(ascii: ";")) else {
            throw failure("an entity does not end")
        }
        let name = String(decoding: bytes[position + 1..<end], as: UTF8.self)
        switch name {
        case "lt": text.append(UInt8(ascii: "<"))
        case "gt": text.append(UInt8(ascii: ">"))
        case "amp": text.append(UInt8(ascii: "&"))
        case "quot": text.append(UInt8(ascii: "\""))
        case "apos": text.append(UInt8(ascii: "'"))
        default:
            guard let scalar = Self.numbered(name) else {
                throw RPCError(.forbidden, "an entity that is not one of XML's own", at: position)
            }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        }
        position = end + 1
    }

    /// `#65` and `#x41`; nil for everything that is not a character of XML.
    private static func numbered(_ name: String) -> Unicode.Scalar? {
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let number: UInt32? =
            digits.hasPrefix("x") || digits.hasPrefix("X") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let number, number >= 0x20 || number == 0x09 || number == 0x0A || number == 0x0D else { return nil }
        return Unicode.Scalar(number)
    }

    private func starts(_ mark: String) -> Bool { bytes[position...].starts(with: mark.utf8) }
}
