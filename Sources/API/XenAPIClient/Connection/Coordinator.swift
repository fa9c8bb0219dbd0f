import APITypes
import RPCCodec

/// Finds the host of a pool that takes logins.
enum Coordinator {
    /// How often a host may name another one.
    private static let longestWay = 3
    /// The version of the API that this library knows. Servers ignore it, and have others of their own.
    private static let version = "2.23"

    /// Logs in at the server of `first` or at the coordinator that it names. `first` stays the caller's
    /// in every case; a transport made here is closed again when nothing comes of it.
    static func open(
        _ credentials: Credentials, at first: HTTPTransport, _ certificates: CertificatePolicy,
        _ options: XenAPISession.Options
    ) async throws -> (transport: HTTPTransport, ref: String) {
        var transport = first
        var asked: Set<ServerAddress> = []
        while true {
            asked.insert(transport.address)
            do {
                let reply = try await transport.call(
                    "session.login_with_password",
                    [
                        .string(credentials.user), .string(credentials.password), .string(version),
                        .string(options.originator),
                    ])
                guard case .string(let ref) = reply, !ref.isEmpty else {
                    throw ConnectionError.malformed(transport.address, reason: "the login did not return a session")
                }
                return (transport, ref)
            } catch {
                let next = next(after: error, at: transport.address, asked, options)
                if transport !== first { await transport.close() }
                guard let next else { throw error }
                transport = HTTPTransport(next, certificates: certificates, options: options)
            }
        }
    }

    /// Where to ask instead; nil: the error is the answer.
    private static func next(
        after error: any Error, at address: ServerAddress, _ asked: Set<ServerAddress>, _ options: XenAPISession.Options
    ) -> ServerAddress? {
        guard let error = error as? APIError, error.code == "HOST_IS_SLAVE", options.followsCoordinator,
            let host = error.parameters.first, case .tcp(_, let port, let tls) = address
        else { return nil }
        guard isHost(host) else { return nil }
        let next = ServerAddress.tcp(host: host, port: port, tls: tls)
        return asked.contains(next) || asked.count > longestWay ? nil : next
    }

    /// A name or an address and nothing else: it becomes part of a URL.
    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == ":") }
    }
}
