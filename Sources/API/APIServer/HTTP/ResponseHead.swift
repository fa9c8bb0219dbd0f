import HTTPTypes
import NIOHTTP1

/// Status lines and fields of answers, for NIO's encoder.
enum ResponseHead {
    /// `isLast`: the connection ends with this answer, and the client is told.
    static func make(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, minorVersion: Int, isLast: Bool
    ) -> HTTPResponseHead {
        var all: [(String, String)] = []
        all.reserveCapacity(fields.count + 1)
        for field in fields where !isLast || field.name != .connection {
            // Nothing from outside can break a line: HTTPField has no line ends in its values.
            all.append((field.name.rawName, field.value))
        }
        return head(status, all, minorVersion: minorVersion, isLast: isLast)
    }

    /// The head of an answer to a call: always the same, so without the detour through fields.
    static func ofCall(contentType: String, length: Int, minorVersion: Int, isLast: Bool) -> HTTPResponseHead {
        let fields = [
            ("Content-Type", contentType), ("Content-Length", String(length)),
            ("Cache-Control", "no-cache, no-store"), ("Access-Control-Allow-Origin", "*"),
        ]
        return head(.ok, fields, minorVersion: minorVersion, isLast: isLast)
    }

    static let `continue` = HTTPResponseHead(version: .http1_1, status: .continue)

    private static func head(
        _ status: HTTPResponse.Status, _ fields: [(String, String)], minorVersion: Int, isLast: Bool
    ) -> HTTPResponseHead {
        let known: HTTPResponseStatus =
            status == .ok ? .ok : .custom(code: UInt(status.code), reasonPhrase: HTTPAnswer.phrase(of: status))
        return HTTPResponseHead(
            version: HTTPVersion(major: 1, minor: minorVersion), status: known,
            headers: HTTPHeaders(isLast ? fields + [("Connection", "close")] : fields))
    }
}
