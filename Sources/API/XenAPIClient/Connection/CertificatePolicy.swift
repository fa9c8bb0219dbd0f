import Crypto
import NIOCore
import NIOSSL

/// Which certificates of servers a client accepts.
public enum CertificatePolicy: Hashable, Sendable {
    /// Those of the machine's authorities, for the host that was asked for.
    case system
    /// Those of the authorities in a PEM file, for the host that was asked for. A host's own certificate is its own
    /// authority: the file may be a copy of it.
    case authorities(file: String)
    /// Exactly the certificates with these fingerprints, whatever names they bear and whoever signed them. A pool has one
    /// for each host that may be its coordinator; XenAPI shows them as `Certificate.fingerprint_sha256`.
    case pinned(Set<CertificateFingerprint>)
    /// Every certificate, as `xe` has always done: secret from listeners, not from one who pretends to be the server.
    case unchecked

    /// Exactly one certificate that is known, in PEM form. Throws when the text is none.
    public static func known(pem: String) throws -> CertificatePolicy {
        .pinned([try CertificateFingerprint(of: NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem))])
    }

    var tlsConfiguration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch self {
        case .system: break
        case .authorities(let file): configuration.trustRoots = .file(file)
        // The fingerprint is checked when the connection stands, before anything is sent.
        case .pinned, .unchecked: configuration.certificateVerification = .none
        }
        return configuration
    }

    /// Looks at a new connection before it is used; nil: TLS has looked already.
    var check: (@Sendable (any Channel) -> EventLoopFuture<Void>)? {
        guard case .pinned(let pins) = self else { return nil }
        return { channel in
            channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
                guard let certificate else { throw UnknownCertificate(fingerprint: nil) }
                let fingerprint = try CertificateFingerprint(of: certificate)
                guard pins.contains(fingerprint) else { throw UnknownCertificate(fingerprint: fingerprint) }
            }.flatMapErrorThrowing { error in
                channel.close(promise: nil)
                throw error
            }
        }
    }
}

/// The SHA-256 of a certificate's DER form.
public struct CertificateFingerprint: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// 64 hexadecimal digits, with colons between the bytes or without; nil for anything else.
    public init?(_ text: String) {
        let digits = text.filter { $0 != ":" }
        guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        self.bytes = bytes
    }

    init(of certificate: NIOSSLCertificate) throws {
        bytes = Array(SHA256.hash(data: try certificate.toDERBytes()))
    }

    /// As XenAPI writes it: upper case, with colons.
    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: ":")
    }
}

/// The server showed a certificate that was not asked for.
struct UnknownCertificate: Error, CustomStringConvertible {
    let fingerprint: CertificateFingerprint?

    var description: String {
        guard let fingerprint else { return "the server showed no certificate" }
        return "the server's certificate is not one of the pinned ones; its SHA-256 is \(fingerprint)"
    }
}
