import NIOCore
import NIOSSL
import Synchronization

/// The way to the toolstack of another pool: requests beside calls, and byte streams, always over TLS and always to the
/// server that was there first: pools do not know each other's authorities.
public final class PeerConnection: Sendable {
    public let host: String
    public let port: Int
    /// Of the certificate that the server must show.
    public let fingerprint: CertificateFingerprint
    private let transport: HTTPTransport

    public init(host: String, port: Int, fingerprint: CertificateFingerprint) {
        (self.host, self.port, self.fingerprint) = (host, port, fingerprint)
        transport = HTTPTransport(
            .tcp(host: host, port: port, tls: true), certificates: .pinned([fingerprint]), options: Self.options)
    }

    private static var options: XenAPISession.Options {
        var options = XenAPISession.Options()
        options.originator = "peer"
        options.followsCoordinator = false
        return options
    }

    /// Ends the connections. Calls under way fail.
    public func close() async { await transport.close() }

    /// A session that the other toolstack has opened for this one.
    public func session(_ ref: String) -> XenAPISession {
        XenAPISession.attached(
            to: ref, at: .tcp(host: host, port: port, tls: true), certificates: .pinned([fingerprint]),
            options: Self.options)
    }

    /// POSTs a body of JSON and returns the answer's. Throws `ConnectionError`.
    public func post(
        _ path: String, fields: [(name: String, value: String)], body: [UInt8], limit: Duration
    ) async throws -> [UInt8] {
        try await transport.post(path, "application/json", body, limit, fields: fields)
    }

    /// Asks the server for its certificate, whatever it is. Throws `ConnectionError`.
    public static func certificate(host: String, port: Int) async throws -> CertificateFingerprint {
        let seen = SeenCertificate()
        let note: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
                guard let certificate else { throw UnknownCertificate(fingerprint: nil) }
                let fingerprint = try CertificateFingerprint(of: certificate)
                seen.fingerprint.withLock { $0 = fingerprint }
            }
        }
        let address = ServerAddress.tcp(host: host, port: port, tls: true)
        let transport = HTTPTransport(address, certificates: .unchecked, options: Self.options, look: note)
        var failure: any Error = ConnectionError.unreachable(address, reason: "it shows no certificate")
        // Whatever it says to that, or does not: by then it has shown the certificate.
        do { _ = try await transport.post("/", "text/plain", [], .seconds(30)) } catch { failure = error }
        await transport.close()
        guard let fingerprint = seen.fingerprint.withLock({ $0 }) else { throw failure }
        return fingerprint
    }
}

private final class SeenCertificate: Sendable {
    let fingerprint = Mutex<CertificateFingerprint?>(nil)
}
