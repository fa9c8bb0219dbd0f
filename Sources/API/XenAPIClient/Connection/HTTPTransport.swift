import APITypes
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RPCCodec
import Synchronization

/// One server's HTTP side: small requests whole, transfers streamed with back-pressure.
final class HTTPTransport: Sendable {
    let address: ServerAddress
    private let client: HTTPClient
    private let options: XenAPISession.Options
    private let isClosed = Atomic(false)
    private let lastCall = Atomic<Int64>(0)

    init(_ address: ServerAddress, certificates: CertificatePolicy, options: XenAPISession.Options) {
        self.address = address
        self.options = options
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: HTTPClient.Configuration.Timeout(connect: .seconds(30)))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.tlsConfiguration = certificates.tlsConfiguration
        if case .tcp(_, _, tls: true) = address {
            configuration.http1_1ConnectionDebugInitializer = certificates.check
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // A session that was let go without `logout` must not bring the process down.
        if !isClosed.load(ordering: .acquiring) { client.shutdown { _ in } }
    }

    func close() async {
        if isClosed.exchange(true, ordering: .acquiringAndReleasing) { return }
        try? await client.shutdown()
    }

    /// Makes a call in the encoding of the options. Throws `APIError` for what the server reports.
    func call(_ method: String, _ parameters: [WireValue]) async throws -> WireValue {
        let call = RPCCall(method, parameters)
        // These wait at the server for something to happen, as long as they were told to.
        let waits = method == "event.from" || method == "event.next"
        let reply: RPCReply
        switch options.encoding {
        case .xmlRPC:
            let bytes = try await post("/", XMLRPC.contentType, XMLRPC.encode(call), waits: waits)
            do { reply = try XMLRPC.decodeReply(bytes) } catch { throw malformed(error.description) }
        case .jsonRPC:
            let number = lastCall.wrappingAdd(1, ordering: .relaxed).newValue
            let request = JSONRPC.encode(JSONRPC.Request(call, id: .int(number)))
            let bytes = try await post("/jsonrpc", JSONRPC.contentType, request, waits: waits)
            let answer: (reply: RPCReply, id: JSONRPC.Identifier)
            do { answer = try JSONRPC.decodeReply(bytes) } catch { throw malformed(error.description) }
            // A server that is just starting refuses without having read which call it was.
            if case .success = answer.reply, answer.id != .int(number) {
                throw malformed("the answer is to another call")
            }
            reply = answer.reply
        }
        switch reply {
        case .success(let value): return value
        case .failure(let description):
            throw APIError(description.first ?? "INTERNAL_ERROR", Array(description.dropFirst()))
        }
    }

    /// POSTs `body` and returns the whole answer.
    private func post(
        _ path: String, _ contentType: String, _ body: [UInt8], waits: Bool
    ) async throws -> [UInt8] {
        var request = self.request(.POST, address.url(path))
        request.headers.add(name: "Content-Type", value: contentType)
        request.body = .bytes(ByteBuffer(bytes: body))
        let limit = waits ? nil : options.callTimeout
        let deadline = limit.map { NIODeadline.now() + TimeAmount($0) } ?? NIODeadline.distantFuture
        return try await exchange {
            let response = try await self.client.execute(request, deadline: deadline)
            do { try self.check(response, path) } catch let error as Redirection {
                // No server sends calls elsewhere; what is between may.
                throw ConnectionError.redirected(self.address, path: path, location: error.location)
            }
            do {
                let reply = try await response.body.collect(upTo: self.options.longestReply)
                return Array(reply.readableBytesView)
            } catch is NIOTooManyBytesError {
                throw self.malformed("the answer is longer than \(self.options.longestReply) bytes")
            }
        }
    }

    /// PUTs `body`, `length` bytes in all. The answer may come before the body is sent: the stock server's does.
    func put<Body: AsyncSequence & Sendable>(
        _ path: String, query: [(name: String, value: String)], length: UInt64, body: Body
    ) async throws -> TransferReply where Body.Element == ByteBuffer {
        var request = self.request(.PUT, address.url(path, query: query))
        request.body = .stream(body, length: .known(Int64(clamping: length)))
        return try await exchange {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            try self.check(response, path)
            for try await _ in response.body {}
            return TransferReply(response.headers)
        }
    }

    /// GETs `path` and hands the body on piece by piece; the next is read when `take` has returned.
    func get(
        _ path: String, query: [(name: String, value: String)], take: (ByteBuffer) async throws -> Void
    ) async throws -> TransferReply {
        let response = try await open(path, query: query)
        return try await exchange {
            for try await piece in response.body { try await take(piece) }
            return TransferReply(response.headers)
        }
    }

    /// GETs `path` up to the body, which the caller reads inside `exchange`.
    func open(_ path: String, query: [(name: String, value: String)]) async throws -> HTTPClientResponse {
        let request = self.request(.GET, address.url(path, query: query))
        return try await exchange {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            try self.check(response, path)
            return response
        }
    }

    private func request(_ method: HTTPMethod, _ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "User-Agent", value: options.userAgent)
        request.headers.add(name: "originator", value: options.originator)
        if case .unixSocket = address { request.headers.replaceOrAdd(name: "Host", value: "localhost") }
        return request
    }

    private func check(_ response: HTTPClientResponse, _ path: String) throws {
        switch response.status.code {
        case 200: return
        case 301, 302, 307, 308:
            throw Redirection(path: path, location: response.headers.first(name: "Location") ?? "")
        default: throw ConnectionError.status(address, path: path, status: Int(response.status.code))
        }
    }

    private func malformed(_ reason: String) -> ConnectionError { .malformed(address, reason: reason) }
}

/// The one header of a transfer that callers need.
struct TransferReply: Sendable {
    let taskReference: String?

    init(_ headers: NIOHTTP1.HTTPHeaders) { taskReference = headers.first(name: "task-id") }
}
