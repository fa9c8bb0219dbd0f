import NIOHTTP1

/// What a request says before its body, as NIO's decoder read it. Fields have their values without the blanks around them.
struct RequestHead: Sendable {
    private let decoded: HTTPRequestHead
    /// How much body follows.
    let framing: Framing
    /// Another request may follow on the connection.
    let isKeepAlive: Bool
    /// What the client wants the connection to be when the request is granted.
    let tunnel: Tunnel?

    enum Framing: Hashable, Sendable {
        case none
        /// Bytes.
        case length(Int64)
        /// Chunks, which the decoder takes apart. No call and no transfer of a XenAPI server may come in them.
        case coded
    }

    enum Tunnel: Sendable {
        /// `CONNECT`, and a `PUT` that asks for an NBD export: bytes both ways.
        case bytes
        /// RFC 6455.
        case webSocket
    }

    init(_ decoded: HTTPRequestHead) {
        self.decoded = decoded
        let headers = decoded.headers
        framing =
            if headers.contains(name: "transfer-encoding") {
                .coded
            } else if let length = headers.first(name: "content-length") {
                // The decoder has seen that it is a number of 64 bits; half of them are too many for anything.
                .length(Int64(Self.trimmed(length)) ?? .max)
            } else {
                .none
            }
        let upgrades = headers.contains(name: "upgrade") && Self.lists(headers, "connection", "upgrade")
        tunnel =
            switch decoded.method {
            case .CONNECT: .bytes
            case .PUT where StorageServiceEndpoint.isStream(decoded.uri): .bytes
            case .GET where upgrades && decoded.version == .http1_1 && Self.lists(headers, "upgrade", "websocket"):
                .webSocket
            default: nil
            }
        // The decoder stops behind a request for another protocol, whether it is granted or not.
        isKeepAlive = decoded.version == .http1_1 && decoded.isKeepAlive && tunnel == nil && !upgrades
    }

    /// In upper case, as all that the decoder knows are.
    var method: String { decoded.method.rawValue }

    /// Path and query as they were sent.
    var target: String { decoded.uri }

    /// 0 or 1: the digit after `HTTP/1.`.
    var minorVersion: Int { decoded.version.minor }

    /// The value of the first field of this name, in any case.
    subscript(name: String) -> String? { decoded.headers.first(name: name).map(Self.trimmed) }

    /// Every field, in the order of the request.
    var allFields: [(name: String, value: String)] { decoded.headers.map { ($0.name, Self.trimmed($0.value)) } }

    var expectsContinue: Bool { Self.lists(decoded.headers, "expect", "100-continue") }

    /// Whether a field that is a list has the word, in any case.
    private static func lists(_ headers: HTTPHeaders, _ name: String, _ word: String) -> Bool {
        headers[canonicalForm: name].contains { $0.lowercased() == word }
    }

    /// The decoder leaves the blanks behind a value.
    private static func trimmed(_ value: String) -> String {
        var rest = value[...]
        while let last = rest.utf8.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return String(rest)
    }
}
