import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One server's HTTP side: small requests whole, transfers streamed with back-pressure.
final class HTTPTransport: Sendable {
    let address: ServerAddress
    private let client: HTTPClient

    /// Answers to calls are at most this long; longer ones are refused.
    private static let longestReply = 512 << 20
    private static let userAgent = "xe-cli/Unix/0.2"

    init(_ address: ServerAddress, certificates: CertificatePolicy) {
        self.address = address
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: HTTPClient.Configuration.Timeout(connect: .seconds(30)))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.tlsConfiguration = certificates.tlsConfiguration
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func close() async { try? await client.shutdown() }

    /// POSTs `body` and returns the whole answer.
    func post(_ path: String, contentType: String, body: [UInt8]) async throws -> [UInt8] {
        var request = self.request(.POST, address.url(path))
        request.headers.add(name: "Content-Type", value: contentType)
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await exchange {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            try self.check(response, path)
            let reply = try await response.body.collect(upTo: Self.longestReply)
            return Array(reply.readableBytesView)
        }
    }

    /// PUTs `chunks`, `length` bytes in all. The answer may come before the body is sent: the stock server's does.
    func put(
        _ path: String, query: [(name: String, value: String)], length: UInt64, chunks: FileChunks
    ) async throws -> TransferReply {
        var request = self.request(.PUT, address.url(path, query: query))
        request.body = .stream(chunks, length: .known(Int64(clamping: length)))
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
        let request = self.request(.GET, address.url(path, query: query))
        return try await exchange {
            let response = try await self.client.execute(request, deadline: .distantFuture)
            try self.check(response, path)
            for try await piece in response.body { try await take(piece) }
            return TransferReply(response.headers)
        }
    }

    private func request(_ method: HTTPMethod, _ url: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "User-Agent", value: Self.userAgent)
        request.headers.add(name: "originator", value: "cli")
        if case .unixSocket = address { request.headers.replaceOrAdd(name: "Host", value: "localhost") }
        return request
    }

    private func check(_ response: HTTPClientResponse, _ path: String) throws(ConnectionError) {
        guard response.status.code == 200 else {
            throw .status(address, path: path, status: Int(response.status.code))
        }
    }

    /// Runs `body`, telling apart what failed: no connection, a broken one, or something of ours.
    private func exchange<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ConnectionError {
            throw error
        } catch let error as TransferFileError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as NIOConnectionError {
            let causes = error.connectionErrors.map { Self.reason($0.error) }
            throw ConnectionError.unreachable(
                address, reason: causes.first ?? error.dnsAError.map(Self.reason) ?? "no address of \(error.host)")
        } catch let error as HTTPClientError where [.connectTimeout, .remoteConnectionClosed].contains(error) {
            throw error == .connectTimeout
                ? ConnectionError.unreachable(address, reason: "no answer within 30 seconds")
                : ConnectionError.lost(address, reason: "closed by the server")
        } catch let error as NIOSSLError {
            // The only ones that a server's certificate or its lack of TLS causes; nothing was sent.
            throw ConnectionError.unreachable(address, reason: "TLS failed: \(error)")
        } catch let error as NIOSSLExtraError {
            throw ConnectionError.unreachable(address, reason: "TLS failed: \(error)")
        } catch let error as IOError {
            let reason = Self.reason(error)
            throw Self.isFromConnect(error)
                ? ConnectionError.unreachable(address, reason: reason) : ConnectionError.lost(address, reason: reason)
        } catch {
            throw ConnectionError.lost(address, reason: "\(error)")
        }
    }

    private static func isFromConnect(_ error: IOError) -> Bool {
        [ECONNREFUSED, ENOENT, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EACCES, ENOTSOCK].contains(error.errnoCode)
    }

    private static func reason(_ error: any Error) -> String {
        if error is SocketAddressError.UnknownHost { return "unknown host" }
        guard let error = error as? IOError else { return "\(error)" }
        return unsafe String(cString: strerror(error.errnoCode))
    }
}

/// The one header of a transfer that callers need.
struct TransferReply: Sendable {
    let taskReference: String?

    init(_ headers: NIOHTTP1.HTTPHeaders) { taskReference = headers.first(name: "task-id") }
}
