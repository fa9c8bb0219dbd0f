// What a toolstack and its gate say to each other on the socket that the gate has as its standard input: one JSON object a line.

/// From the toolstack.
public enum GateOrder: Codable, Sendable {
    /// Accept clients on the listening socket that comes with it. `encrypted`: nobody is let in without TLS; otherwise it is
    /// for who wants it.
    case listen(encrypted: Bool)
    /// The answer to `open`, with two connected sockets to a server that has what was named as `export`.
    case opened(id: UInt64, export: String)
    /// The other answer. `reason` is for the client.
    case refused(id: UInt64, reason: String)

    /// How many open files come with it.
    public var files: Int {
        switch self {
        case .listen: 1
        case .opened: 2
        case .refused: 0
        }
    }
}

/// From the gate.
public enum GateEvent: Codable, Sendable {
    /// It is what it is to be. `without`: as `DatapathReady`.
    case ready(without: [String])
    /// A client at `peer` wants the export `name`, which is what a stranger says.
    case open(id: UInt64, name: String, peer: String)
    /// The client of what was opened has left.
    case closed(id: UInt64)
}
