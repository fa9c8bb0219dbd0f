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

    /// `look`: sees each new connection before it is used, in the place of the policy.
    init(
        _ address: ServerAddress, certificates: CertificatePolicy, options: XenAPISession.Options,
        look: (@Sendable (any Channel) -> EventLoopFuture<Void>)? = nil
    ) {
        self.address = address
        self.options = options
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: HTTPClient.Configuration.Timeout(connect: .seconds(30)))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        // Each call that waits for events, each task that is waited for and each transfer holds one; with the usual 8 the
        // ninth, and every call behind it, would wait for one of them to end.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        configuration.tlsConfiguration = certificates.tlsConfiguration
        if case .tcp(_, _, tls: true) = address {
            configuration.http1_1ConnectionDebugInitializer = look ?? certificates.check
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
        let limit = Self.limit(of: method, parameters, options)
        let reply: RPCReply
        switch options.encoding {
        case .xmlRPC:
            let bytes = try await post("/", XMLRPC.contentType, XMLRPC.encode(call), limit)
            do { reply = try XMLRPC.decodeReply(bytes) } catch { throw malformed(error.description) }
        case .jsonRPC:
            let number = lastCall.wrappingAdd(1, ordering: .relaxed).newValue
            let request = JSONRPC.encode(JSONRPC.Request(call, id: .int(number)))
            let bytes = try await post("/jsonrpc", JSONRPC.contentType, request, limit)
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

    /// How long a call may take, with the session among its parameters; nil: as long as it does.
    static func limit(
        of method: String, _ parameters: [WireValue], _ options: XenAPISession.Options
    ) -> Duration? {
        switch method {
        // Waits at the server until something happens.
        case "event.next": return nil
        case "event.from":
            // Waits as long as it is told to; then the answer must come. Without a sensible number the server decides.
            guard let seconds = parameters.dropFirst(3).first?.number, (0...1e9).contains(seconds) else { return nil }
            return Duration.seconds(seconds + 120)
        default: return options.callTimeout
        }
    }

    /// POSTs `body` and returns the whole answer.
    func post(
        _ path: String, _ contentType: String, _ body: [UInt8], _ limit: Duration?,
        fields: [(name: String, value: String)] = []
    ) async throws -> [UInt8] {
        var request = self.request(.POST, address.url(path))
        request.headers.add(name: "Content-Type", value: contentType)
        for field in fields { request.headers.add(name: field.name, value: field.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let ready = request
        guard let limit else { return try await exchange { try await self.answer(to: ready, path) } }
        // The library's own deadline ends with the head of the answer: this one is for all of it.
        return try await exchange {
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                group.addTask { try await self.answer(to: ready, path) }
                group.addTask {
                    try await Task.sleep(for: limit)
                    throw ConnectionError.lost(self.address, reason: "the call took longer than it may")
                }
                defer { group.cancelAll() }
                guard let first = try await group.next() else { throw CancellationError() }
                return first
            }
        }
    }

    private func answer(to request: HTTPClientRequest, _ path: String) async throws -> [UInt8] {
        let response = try await client.execute(request, deadline: .distantFuture)
        do { try check(response, path) } catch let error as Redirection {
            // No server sends calls elsewhere; what is between may.
            throw ConnectionError.redirected(address, path: path, location: error.location)
        }
        do {
            let reply = try await response.body.collect(upTo: options.longestReply)
            return Array(reply.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw malformed("the answer is longer than \(options.longestReply) bytes")
        }
    }

    /// PUTs `body`, `length` bytes in all. The answer may come before the body is sent: the stock server's does.
    func put<Body: AsyncSequence & Sendable>(
        _ path: String, query: [(name: String, value: String)], length: UInt64, body: Body
    ) async throws -> TransferReply where Body.Element == ByteBuffer {
        let sent = CountedBody(base: body)
        var request = self.request(.PUT, address.url(path, query: query))
        request.body = .stream(sent, length: .known(Int64(clamping: length)))
        return try await exchange {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            try self.check(response, path)
            do {
                for try await _ in response.body {}
            } catch let error as HTTPClientError where error == .remoteConnectionClosed {
                // The server closes as it has the last byte. That ends its answer, also where the client has not yet come
                // to see that no byte follows and calls the connection lost.
                guard sent.bytes == length, Self.endsWithItsConnection(response.headers) else { throw error }
            }
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

    /// The answer has no length of its own: where the server closes, it is whole.
    private static func endsWithItsConnection(_ headers: HTTPHeaders) -> Bool {
        !headers.contains(name: "Content-Length") && !headers.contains(name: "Transfer-Encoding")
    }

    private func malformed(_ reason: String) -> ConnectionError { .malformed(address, reason: reason) }
}

/// The one header of a transfer that callers need.
struct TransferReply: Sendable {
    let taskReference: String?

    init(_ headers: NIOHTTP1.HTTPHeaders) { taskReference = headers.first(name: "task-id") }
}
