import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

extension HTTPTransport {
    /// Runs `body`, telling apart what failed: no connection, a broken one, or something of ours.
    func exchange<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as ConnectionError {
            throw error
        } catch let error as TransferFileError {
            throw error
        } catch let error as Redirection {
            throw error
        } catch let error as SourceFailure {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch let error as UnknownCertificate {
            throw ConnectionError.unreachable(address, reason: error.description)
        } catch let error as NIOConnectionError {
            let causes = error.connectionErrors.map { Self.reason($0.error) }
            throw ConnectionError.unreachable(
                address, reason: causes.first ?? error.dnsAError.map(Self.reason) ?? "no address of \(error.host)")
        } catch let error as HTTPClientError where [.connectTimeout, .remoteConnectionClosed].contains(error) {
            throw error == .connectTimeout
                ? ConnectionError.unreachable(address, reason: "no answer within 30 seconds")
                : ConnectionError.lost(address, reason: "closed by the server")
        } catch let error as NIOSSLError where error == .uncleanShutdown {
            // The server, or what is between, cut an open connection off.
            throw ConnectionError.lost(address, reason: "closed without TLS's goodbye")
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
            if Task.isCancelled { throw CancellationError() }
            throw ConnectionError.lost(address, reason: "\(error)")
        }
    }

    /// Whether nothing was sent yet.
    static func isFromConnect(_ error: IOError) -> Bool {
        switch error.errnoCode {
        case ECONNREFUSED, ENOENT, EACCES, ENOTSOCK: true
        // An open connection ends so too when the network goes away. The system call and its completion, as NIO names them.
        case EHOSTUNREACH, ENETUNREACH, ETIMEDOUT:
            error.description.contains("connect(") || error.description.contains("non-blocking connect")
        default: false
        }
    }

    private static func reason(_ error: any Error) -> String {
        if error is SocketAddressError.UnknownHost { return "unknown host" }
        guard let error = error as? IOError else { return "\(error)" }
        return unsafe String(cString: strerror(error.errnoCode))
    }
}

/// The server says that something is elsewhere.
struct Redirection: Error {
    let path: String
    let location: String

    /// The server to ask instead; nil unless it offers the same path, and no less secretly than before.
    func target(from address: ServerAddress) -> ServerAddress? {
        guard let url = URL(string: location), let host = url.host, !host.isEmpty, url.path == path else { return nil }
        switch (url.scheme?.lowercased(), address) {
        case ("https", _): return .tcp(host: Self.bare(host), port: url.port ?? 443, tls: true)
        case ("http", .tcp(_, _, tls: false)): return .tcp(host: Self.bare(host), port: url.port ?? 80, tls: false)
        default: return nil
        }
    }

    /// An IPv6 address without its brackets.
    private static func bare(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}
