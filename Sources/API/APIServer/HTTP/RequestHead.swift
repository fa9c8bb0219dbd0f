/// The request line and the fields of a request. Reads what RFC 9112 allows; everything else is refused.
struct RequestHead: Sendable {
    /// Upper case, as it was sent.
    let method: String
    /// Path and query as they were sent.
    let target: String
    /// 0 or 1: the digit after `HTTP/1.`.
    let minorVersion: Int
    /// How much body follows.
    let framing: Framing
    /// Another request may follow on the connection.
    let isKeepAlive: Bool
    private let bytes: [UInt8]
    private let fields: [Field]

    enum Framing: Hashable, Sendable {
        case none
        /// Bytes.
        case length(Int64)
        /// A coding that XenAPI servers do not read.
        case coded
    }

    /// Ranges of `bytes`.
    private struct Field: Sendable {
        let name: Range<Int>
        let value: Range<Int>
    }

    /// A head that cannot be read, and the status that says so.
    struct Malformed: Error, Hashable, Sendable {
        let status: Int
        let reason: String
    }

    /// Most fields of a head.
    static let mostFields = 128

    /// Reads a head whose last byte is the line feed of its empty line.
    init(_ bytes: [UInt8]) throws(Malformed) {
        var lines = HeadLines(bytes)
        guard let first = try lines.next(), !first.isEmpty else {
            throw Malformed(status: 400, reason: "the request line is missing")
        }
        (method, target, minorVersion) = try Self.requestLine(bytes, first)
        var fields: [Field] = []
        fields.reserveCapacity(12)
        while let line = try lines.next(), !line.isEmpty {
            guard fields.count < Self.mostFields else {
                throw Malformed(status: 431, reason: "a request has at most \(Self.mostFields) header fields")
            }
            fields.append(try Self.field(bytes, line))
        }
        self.bytes = bytes
        self.fields = fields
        framing = try Self.framing(bytes, fields)
        isKeepAlive = minorVersion == 1 && !Self.mentions(bytes, fields, name: "connection", token: "close")
    }

    /// The value of the first field of this name, which is given in lower case.
    subscript(name: String) -> String? {
        for field in fields where Self.matches(bytes, field.name, name) { return text(field.value) }
        return nil
    }

    /// Every field, in the order of the request.
    var allFields: [(name: String, value: String)] {
        fields.map { (text($0.name), text($0.value)) }
    }

    var expectsContinue: Bool { Self.mentions(bytes, fields, name: "expect", token: "100-continue") }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    // MARK: - Request line

    private static func requestLine(
        _ bytes: [UInt8], _ line: Range<Int>
    ) throws(Malformed) -> (method: String, target: String, minorVersion: Int) {
        guard let space = bytes[line].firstIndex(of: 0x20), let last = bytes[line].lastIndex(of: 0x20), last > space
        else { throw Malformed(status: 400, reason: "the request line is not METHOD TARGET VERSION") }
        let (name, path, version) = (line.lowerBound..<space, space + 1..<last, last + 1..<line.upperBound)
        guard !name.isEmpty, name.count <= 32, bytes[name].allSatisfy(isTokenByte) else {
            throw Malformed(status: 400, reason: "the method is not a word")
        }
        guard !path.isEmpty, bytes[path].allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Malformed(status: 400, reason: "the target has a space or a control character")
        }
        let minor: Int
        if matchesExactly(bytes, version, "HTTP/1.1") {
            minor = 1
        } else if matchesExactly(bytes, version, "HTTP/1.0") {
            minor = 0
        } else {
            throw Malformed(status: 400, reason: "the version is neither HTTP/1.0 nor HTTP/1.1")
        }
        return (String(decoding: bytes[name], as: UTF8.self), String(decoding: bytes[path], as: UTF8.self), minor)
    }

    // MARK: - Fields

    private static func field(_ bytes: [UInt8], _ line: Range<Int>) throws(Malformed) -> Field {
        guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound,
            bytes[line.lowerBound..<colon].allSatisfy(isTokenByte)
        else { throw Malformed(status: 400, reason: "a header field has no name, or one with a forbidden character") }
        var (start, end) = (colon + 1, line.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        guard bytes[start..<end].allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw Malformed(status: 400, reason: "a header field has a control character")
        }
        return Field(name: line.lowerBound..<colon, value: start..<end)
    }

    /// A transfer coding wins over a length, as RFC 9112 §6.3 has it, and is never read: such a connection ends with
    /// its answer, so nothing can be smuggled behind it.
    private static func framing(_ bytes: [UInt8], _ fields: [Field]) throws(Malformed) -> Framing {
        var length: Int64?
        var isCoded = false
        for field in fields {
            if matches(bytes, field.name, "transfer-encoding") { isCoded = true }
            guard matches(bytes, field.name, "content-length") else { continue }
            let digits = bytes[field.value]
            guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
                throw Malformed(status: 400, reason: "the Content-Length is not a number")
            }
            let number = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
            guard length == nil || length == number else {
                throw Malformed(status: 400, reason: "there are two different Content-Lengths")
            }
            length = number
        }
        return isCoded ? .coded : length.map(Framing.length) ?? .none
    }

    /// Whether a list field has the token, in any case.
    private static func mentions(
        _ bytes: [UInt8], _ fields: [Field], name: String, token: String
    ) -> Bool {
        for field in fields where matches(bytes, field.name, name) {
            let text = String(decoding: bytes[field.value], as: UTF8.self).lowercased()
            if text == token { return true }
            if text.split(separator: ",").contains(where: { $0.trimming(while: { $0 == " " || $0 == "\t" }) == token })
            {
                return true
            }
        }
        return false
    }

    // MARK: - Bytes

    private static func matches(_ bytes: [UInt8], _ range: Range<Int>, _ lowercase: String) -> Bool {
        guard range.count == lowercase.utf8.count else { return false }
        var position = range.lowerBound
        for expected in lowercase.utf8 {
            let byte = bytes[position]
            guard (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == expected else { return false }
            position += 1
        }
        return true
    }

    private static func matchesExactly(_ bytes: [UInt8], _ range: Range<Int>, _ text: String) -> Bool {
        bytes[range].elementsEqual(text.utf8)
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x5E...0x7A, 0x7C, 0x7E: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E: true
        default: false
        }
    }
}

/// The lines of a head. A line ends with a line feed; one carriage return before it belongs to the end.
private struct HeadLines {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // RFC 9112 §2.2: empty lines before a request are skipped; old clients send one behind a body.
        while position < bytes.count, bytes[position] == 0x0D || bytes[position] == 0x0A { position += 1 }
    }

    mutating func next() throws(RequestHead.Malformed) -> Range<Int>? {
        guard position < bytes.count else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != 0x0A { position += 1 }
        var end = position
        position += 1
        if end > start, bytes[end - 1] == 0x0D { end -= 1 }
        guard !bytes[start..<end].contains(0x0D) else {
            throw RequestHead.Malformed(status: 400, reason: "a carriage return in the middle of a line")
        }
        return start..<end
    }
}

extension Substring {
    fileprivate func trimming(while matches: (Character) -> Bool) -> Substring {
        var rest = drop(while: matches)
        while let last = rest.last, matches(last) { rest = rest.dropLast() }
        return rest
    }
}
