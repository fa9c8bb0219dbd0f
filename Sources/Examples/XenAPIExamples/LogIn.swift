public import XenAPIClient

/// Opens a session with a server whose certificate's fingerprint is known, runs `work` in it and logs out.
public func atServer<Result>(
    _ host: String, port: Int = 443, password: String, fingerprint: CertificateFingerprint,
    _ work: (XenAPISession) async throws -> Result
) async throws -> Result {
    try await XenAPISession.with(
        at: .tcp(host: host, port: port, tls: true), user: "root", password: password,
        certificates: .pinned([fingerprint]), work)
}
