import Crypto
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SwiftASN1
import X509

/// The certificate that a host makes for itself: a P-256 key, signed by itself, for the names and addresses it has when
/// it is made. Whoever wants it checked gives clients the file, or puts a certificate of a real authority in its place.
enum ServerCertificate {
    /// Years that a certificate is good for.
    private static let lifetime = 10

    struct PEM {
        let certificate: String
        let key: String
    }

    /// The names of this machine that a client may have used: its host name, `localhost`, and the addresses of its
    /// network interfaces; with `address` in addition, which is an address or a name.
    static func names(listeningOn address: String) throws -> [String] {
        var all = [ProcessInfo.processInfo.hostName, "localhost", "127.0.0.1", "::1"]
        for device in try System.enumerateDevices() {
            if let found = device.address?.ipAddress { all.append(String(found.prefix { $0 != "%" })) }
        }
        if address != "0.0.0.0" && address != "::" { all.append(address) }
        var seen: Set<String> = []
        return all.filter { !$0.isEmpty && seen.insert($0).inserted }
    }

    static func make(for names: [String], now: Date = Date()) throws -> PEM {
        let key = P256.Signing.PrivateKey()
        let common = names.first ?? "localhost"
        let subject = try DistinguishedName {
            // X.520 allows 64 characters.
            CommonName(String(common.prefix(64)))
        }
        let alternatives = names.map(generalName)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            // A client whose clock is behind accepts it, too.
            notValidBefore: now.addingTimeInterval(-86400),
            notValidAfter: now.addingTimeInterval(Double(lifetime) * 365.25 * 86400), issuer: subject,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                // Its own authority, so that the file alone is enough for a client to trust.
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(alternatives)
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            },
            issuerPrivateKey: Certificate.PrivateKey(key))
        return PEM(certificate: try certificate.serializeAsPEM().pemString, key: key.pemRepresentation)
    }

    private static func generalName(_ name: String) -> GeneralName {
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: length)
            // SAFETY: the buffer has the size of the family's addresses, the name is NUL-terminated by the bridge.
            let isAddress = unsafe bytes.withUnsafeMutableBytes { room in
                unsafe inet_pton(family, name, room.baseAddress) == 1
            }
            if isAddress { return .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
        }
        return .dnsName(name)
    }
}
