/// A call: the wire name of a message and what was passed, the session included.
public struct RPCCall: Hashable, Sendable {
    /// E.g. `VDI.create`, `Async.VDI.pool_migrate`.
    public let method: String
    public let parameters: [WireValue]

    public init(_ method: String, _ parameters: [WireValue]) {
        self.method = method
        self.parameters = parameters
    }
}

/// The answer to a call.
public enum RPCReply: Hashable, Sendable {
    case success(WireValue)
    /// The error code, then its parameters.
    case failure([String])
}
