import APITypes
import HTTPTypes
import HummingbirdCore
import NIOCore
import RPCCodec
import Toolstack

/// XML-RPC and JSON-RPC over POST. Failures of the API are answers of status 200 like any other.
struct RPCEndpoint: Sendable {
    let dispatcher: Dispatcher

    /// Longest request body, bytes.
    static let bodyLimit = 300 * 1024

    enum Encoding: Sendable { case xml, json }

    func answer(_ request: Request, as encoding: Encoding, isLocal: Bool) async throws -> HTTPAnswer {
        let body = try await Self.body(of: request)
        let client = ClientInfo(
            isLocalSocket: isLocal, userAgent: request.headers[.userAgent],
            originator: request.headers[text: "originator"],
            parentTask: request.headers[text: "subtask-of"].map(Ref<XenTask>.init))
        let (contentType, bytes) =
            switch encoding {
            case .xml: (XMLRPC.contentType, await xml(body, client))
            case .json: (JSONRPC.contentType, await json(body, client))
            }
        guard let bytes else { throw HTTPFailure(.internalServerError, "the request is not a call") }
        var fields = HTTPFields()
        fields[.cacheControl] = "no-cache, no-store"
        fields[.accessControlAllowOrigin] = "*"
        return HTTPAnswer(.ok, fields: fields, contentType: contentType, body: bytes)
    }

    private func xml(_ body: [UInt8], _ client: ClientInfo) async -> [UInt8]? {
        let call: RPCCall
        do {
            call = try XMLRPC.decodeCall(body)
        } catch {
            return Self.notText(error).map(XMLRPC.encode)
        }
        let reply = await reply(to: call, client)
        // The one answer without the envelope.
        if call.method == "system.listMethods", case .success(let value) = reply { return XMLRPC.encodeBare(value) }
        return XMLRPC.encode(reply)
    }

    private func json(_ body: [UInt8], _ client: ClientInfo) async -> [UInt8]? {
        guard let request = try? JSONRPC.decodeRequest(body) else { return nil }
        return JSONRPC.encode(await reply(to: request.call, client), to: request)
    }

    private func reply(to call: RPCCall, _ client: ClientInfo) async -> RPCReply {
        switch await dispatcher.call(method: call.method, params: call.parameters, client: client) {
        case .success(let value): .success(value.wire)
        case .failure(let error): .failure(error.wire)
        }
    }

    /// Text that is not UTF-8 is an error of the API, other mistakes are not even a call.
    private static func notText(_ error: RPCError) -> RPCReply? {
        guard error.kind == .invalidUTF8 else { return nil }
        return .failure(["INVALID_VALUE", error.description, error.offendingText ?? ""])
    }

    private static func body(of request: Request) async throws -> [UInt8] {
        guard let length = request.headers[.contentLength].flatMap(Int.init), length >= 0 else {
            throw HTTPFailure(.internalServerError, "a call needs a Content-Length")
        }
        guard length <= bodyLimit else {
            throw HTTPFailure(.contentTooLarge, "a call has at most \(bodyLimit) bytes")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= bodyLimit else {
                throw HTTPFailure(.contentTooLarge, "a call has at most \(bodyLimit) bytes")
            }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return bytes
    }
}
