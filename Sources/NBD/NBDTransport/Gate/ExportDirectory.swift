public import BlockIO

/// What a gate asks for the names that its clients come with.
public protocol ExportDirectory: Sendable {
    /// Two connected sockets to a server that has the export, which are the caller's from then on. It waits as long as that
    /// takes, on the thread of the client's connection. `.notFound` or another error: the client is told its text.
    func open(_ name: String, peer: String) throws(BlockError) -> GateTarget
    /// The client of a target that was opened has left.
    func close(_ target: GateTarget)
}

/// Where one export of a gate is.
public struct GateTarget: Sendable {
    /// The directory's own.
    public let identifier: UInt64
    /// One is used to learn what the export is, the other to serve it.
    public let sockets: [Int32]
    /// What the server behind calls it.
    public let exportName: String

    public init(identifier: UInt64, sockets: [Int32], exportName: String) {
        self.identifier = identifier
        self.sockets = sockets
        self.exportName = exportName
    }
}
