import HTTPTypes
import NIOCore

/// The connection ended, or the client stopped reading, before the answer was complete.
struct ConnectionGone: Error, CustomStringConvertible {
    var description: String { "the client hung up" }
}

/// Where the answer to one request goes. Exactly one of `write` and `writeHead` is called.
struct ResponseWriter: Sendable {
    let connection: HTTPConnection
    let exchange: Exchange

    /// Tells a client that waits before it sends its body to go on.
    func writeContinue() async throws {
        try await connection.onLoop { try $0.sendContinue(for: exchange) }
    }

    /// A whole answer. Returns when it has been handed on, not when it has arrived.
    consuming func write(_ answer: HTTPAnswer) async throws {
        let exchange = exchange
        try await connection.onLoop { try $0.answer(exchange, answer) }
    }

    /// Begins an answer in pieces. Without a length, an HTTP/1.1 client is sent chunks, and an HTTP/1.0 client all bytes
    /// up to the end of the connection.
    consuming func writeHead(_ response: HTTPResponse, length: Int64? = nil) async throws -> ResponseBodyWriter {
        let exchange = exchange
        try await connection.onLoop { try $0.beginStream(exchange, response, length: length) }
        return ResponseBodyWriter(connection: connection, exchange: exchange)
    }
}

/// The body of an answer in pieces, which one task writes.
struct ResponseBodyWriter: Sendable {
    let connection: HTTPConnection
    let exchange: Exchange

    /// Returns when the client has taken so much that no more than `HTTPLimits.window` bytes are on their way, whatever
    /// lies between (TLS included). So a slow client holds back whoever makes the bytes.
    mutating func write(_ piece: ByteBuffer) async throws {
        let (connection, exchange) = (connection, exchange)
        try await withCheckedThrowingContinuation { (taken: CheckedContinuation<Void, any Error>) in
            connection.eventLoop.execute { connection.send(piece, for: exchange, taken) }
        }
    }

    /// Breaks the connection off, and with it a `write` that waits for the client. From any thread.
    func abandon() {
        let connection = connection
        connection.eventLoop.execute { connection.reset() }
    }

    /// Ends the answer. An answer that is not ended breaks the connection off, so that it is not taken for a whole one.
    func finish(_ trailers: HTTPFields? = nil) async throws {
        try await connection.onLoop { try $0.endStream(exchange) }
    }
}

/// Answers to calls.
extension ResponseWriter {
    consuming func write(_ body: [UInt8], as encoding: RPCEndpoint.Encoding) async throws {
        let exchange = exchange
        try await connection.onLoop { try $0.answer(exchange, body, as: encoding) }
    }

    /// Begins an answer whose length is known and whose bytes are not all there.
    consuming func beginCall(as encoding: RPCEndpoint.Encoding, length: Int64) async throws -> ResponseBodyWriter {
        var fields = HTTPFields()
        fields[.contentType] = encoding.contentType
        fields[.cacheControl] = "no-cache, no-store"
        fields[.accessControlAllowOrigin] = "*"
        return try await writeHead(HTTPResponse(status: .ok, headerFields: fields), length: length)
    }
}
