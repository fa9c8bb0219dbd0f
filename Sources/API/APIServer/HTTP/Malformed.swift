import HTTPTypes
import NIOCore
import NIOHTTP1

/// What a client is told whose bytes are no request.
struct Malformed: Equatable {
    let status: HTTPResponse.Status
    let reason: String

    /// Nil when `error` is not one of reading HTTP, but of the connection.
    init?(_ error: any Error, limits: HTTPLimits) {
        switch error {
        case HTTPParserError.headerOverflow, is ByteToMessageDecoderError.PayloadTooLargeError:
            status = .requestHeaderFieldsTooLarge
            reason = "a request head has at most \(limits.head) bytes and \(limits.fields) fields"
        case let error as HTTPParserError:
            status = .badRequest
            reason = Self.reason(error)
        default: return nil
        }
    }

    private static func reason(_ error: HTTPParserError) -> String {
        switch error {
        case .invalidMethod: "the request does not begin with a method of HTTP"
        case .invalidURL, .invalidHost, .invalidPort, .invalidPath, .invalidQueryString, .invalidFragment:
            "the target of the request is none"
        case .invalidVersion, .invalidConstant: "the version is neither HTTP/1.0 nor HTTP/1.1"
        case .invalidHeaderToken: "a header field has a character that may not be there"
        case .lfExpected: "a line of the head does not end with CR LF"
        case .unexpectedContentLength: "the request has two lengths"
        case .invalidContentLength: "the Content-Length is not a number"
        case .invalidChunkSize: "the size of a chunk is not a number"
        default: "the request is not one of HTTP/1.1"
        }
    }
}
