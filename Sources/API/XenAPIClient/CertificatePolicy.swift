import NIOSSL

/// Which certificates of servers a client accepts.
public enum CertificatePolicy: Hashable, Sendable {
    /// Those of the machine's authorities, for the host that was asked for.
    case system
    /// Those of the authorities in a PEM file, for the host that was asked for. A host's own certificate is its own
    /// authority: the file may be a copy of it.
    case authorities(file: String)
    /// Every certificate, as `xe` has always done: secret from listeners, not from one who pretends to be the server.
    case unchecked

    var tlsConfiguration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch self {
        case .system: break
        case .authorities(let file): configuration.trustRoots = .file(file)
        case .unchecked: configuration.certificateVerification = .none
        }
        return configuration
    }
}
