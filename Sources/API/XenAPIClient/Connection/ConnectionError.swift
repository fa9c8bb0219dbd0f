/// The server could not be asked, or did not answer as a XenAPI server does. Failures it reports are `APIError`s.
public enum ConnectionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No connection came about; nothing was sent.
    case unreachable(ServerAddress, reason: String)
    /// The connection broke while a request was under way: whether it had an effect is unknown.
    case lost(ServerAddress, reason: String)
    /// An HTTP status other than 200.
    case status(ServerAddress, path: String, status: Int)
    /// The server sends a request elsewhere, where it cannot or must not be followed.
    case redirected(ServerAddress, path: String, location: String)
    /// An answer that is no XenAPI reply.
    case malformed(ServerAddress, reason: String)

    public var description: String {
        switch self {
        case .unreachable(let address, let reason): "cannot connect to \(address): \(reason)"
        case .lost(let address, let reason): "the connection to \(address) broke: \(reason)"
        case .status(let address, let path, let status): "\(address) answered \(path) with HTTP status \(status)"
        case .redirected(let address, let path, let location):
            "\(address) sends \(path) to '\(location)', where it is not followed"
        case .malformed(let address, let reason): "\(address) gave an answer that cannot be understood: \(reason)"
        }
    }
}

/// A file of a transfer could not be used.
public struct TransferFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "\(path): \(reason)" }
}

/// The bytes that a caller gave failed: its own error.
struct SourceFailure: Error {
    let cause: any Error
}
