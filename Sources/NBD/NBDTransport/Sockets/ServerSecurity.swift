import NBDProtocol

/// What a server asks of its connections.
public struct ServerSecurity: Sendable {
    let credentials: TLSCredentials
    /// Clients without TLS are refused; otherwise they are served as well.
    let isRequired: Bool

    /// `credentials`: a server's.
    public init(_ credentials: TLSCredentials, isRequired: Bool = true) {
        precondition(credentials.isServer, "a server needs a server's certificate")
        self.credentials = credentials
        self.isRequired = isRequired
    }

    var encryption: ServerHandshake.Encryption { isRequired ? .required : .offered }
}
