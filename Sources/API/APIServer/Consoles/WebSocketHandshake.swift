import Crypto
import Foundation
import HTTPTypes

/// The request that asks for a WebSocket (RFC 6455 §4.2.1), checked, and the answer that grants it.
struct WebSocketHandshake: Sendable {
    /// The subprotocol that viewers of consoles name for bytes in binary frames.
    private static let subprotocol = "binary"
    /// RFC 6455 §1.3.
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    let response: HTTPResponse

    /// Throws `HTTPFailure`: 426 for a request that asks for no WebSocket, 400 for one that cannot be granted.
    init(_ request: Request) throws(HTTPFailure) {
        guard request.head.tunnel == .webSocket, request.head["sec-websocket-version"] == "13" else {
            throw HTTPFailure(.upgradeRequired, "a WebSocket (version 13) has to be asked for here, or CONNECT")
        }
        guard let key = request.head["sec-websocket-key"], Data(base64Encoded: key)?.count == 16 else {
            throw HTTPFailure(.badRequest, "Sec-WebSocket-Key is to be 16 bytes in base64")
        }
        var fields = HTTPFields()
        fields[.upgrade] = "websocket"
        fields[.connection] = "Upgrade"
        let digest = Insecure.SHA1.hash(data: Data((key + Self.suffix).utf8))
        fields[.secWebSocketAccept] = Data(digest).base64EncodedString()
        if let offered = request.head["sec-websocket-protocol"] {
            let words = offered.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard words.contains(Self.subprotocol) else {
                throw HTTPFailure(.badRequest, "of WebSocket's subprotocols only \(Self.subprotocol) is spoken here")
            }
            fields[.secWebSocketProtocol] = Self.subprotocol
        }
        response = HTTPResponse(status: .switchingProtocols, headerFields: fields)
    }
}
