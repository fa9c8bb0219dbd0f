import Foundation
import Glibc
import SwiftASN1
import Toolstack
import X509

extension TLSIdentity {
    /// The host's certificate for its NBD clients, made where there is none.
    static func forExports(folder: String) throws -> DiskExports.Identity {
        let identity = try TLSIdentity(folder: folder, listeningOn: "0.0.0.0")
        let text = try String(contentsOfFile: identity.certificateFile, encoding: .utf8)
        return DiskExports.Identity(
            certificateFile: identity.certificateFile, keyFile: identity.keyFile, subject: subject(of: text))
    }

    /// The first name of a host that the first certificate of a PEM text has, else its common name; empty: it has neither.
    static func subject(of text: String) -> String {
        guard let document = try? PEMDocument.parseMultiple(pemString: text).first,
            let certificate = try? Certificate(pemDocument: document)
        else { return "" }
        for case .dnsName(let name)? in (try? certificate.extensions.subjectAlternativeNames).map(Array.init) ?? [] {
            return name
        }
        return certificate.subject.flatMap(Array.init).first { $0.type == .RDNAttributeType.commonName }
            .map { String(describing: $0.value) } ?? ""
    }
}
