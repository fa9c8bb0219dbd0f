public import BlockIO
import CoreTypes
import NBDProtocol
import Synchronization

/// A remote export as a device. Calls from many threads share one connection and overtake each other freely. When the
/// server goes away every call, waiting or later, throws `.disconnected`, unless a `ReconnectPolicy` was given: then calls
/// wait for the server to come back and are done there (see `ClientLine` for what that promises).
public final class NBDClient: BlockDevice {
    public let size: UInt64
    public let isReadOnly: Bool
    public let preferredAlignment: UInt64

    let line: ClientLine
    let flags: TransmissionFlags
    /// Bytes: what every request must be a multiple of, and its greatest length.
    let unit: UInt64
    let largestRequest: UInt64
    /// Held exclusively while part of a `unit` is rewritten, shared by other writes; only used where `unit` > 1.
    let rewriting = ReadWriteLock()
    /// Changes that have not waited for the one that rewrites: none of them is tried before it has ended.
    let putOff = Mutex<[(changes: LateChanges, ticket: LateRanges.Ticket)]>([])

    /// Connects to a Unix socket. `exportName` "" is the server's default export. `readOnly`: refuse writes here,
    /// whatever the server would allow. Throws `.notFound` when there is no socket or no such export.
    public static func connect(
        unixSocket path: String, exportName: String = "", readOnly: Bool = false, answerSeconds: Double? = nil
    ) throws(BlockError) -> NBDClient {
        try NBDClient(
            NBDEndpoint(unixSocket: path, exportName: exportName), readOnly: readOnly, answerSeconds: answerSeconds)
    }

    /// Connects over TCP. The caller knows that the network is trusted: nothing is encrypted.
    public static func connect(
        host: String, port: UInt16, exportName: String = "", readOnly: Bool = false
    ) throws(BlockError) -> NBDClient {
        try NBDClient(NBDEndpoint(host: host, port: port, exportName: exportName), readOnly: readOnly)
    }

    /// Takes over a connected stream socket, also when it throws.
    convenience init(descriptor: Int32, exportName: String, readOnly: Bool, peer: String) throws(BlockError) {
        try self.init(
            NBDEndpoint(.connected(descriptor, peer: peer), exportName, nil, peer), readOnly: readOnly)
    }

    /// Connects. Throws as `connect(unixSocket:)`, and `.denied` when TLS was asked for and does not come about: there is
    /// none, or a certificate is not accepted. `answerSeconds`: a server that says nothing for so long while a read or write
    /// waits for it, or six times as long while something else does, is lost; nil: it may take for ever.
    public init(
        _ endpoint: NBDEndpoint, readOnly: Bool = false, reconnect: ReconnectPolicy? = nil,
        answerSeconds: Double? = nil
    ) throws(BlockError) {
        line = try ClientLine(endpoint, reconnect, AnswerLimit(seconds: answerSeconds))
        let export = line.agreement.export
        size = export.size
        flags = export.flags
        isReadOnly = readOnly || export.flags.contains(.readOnly)
        unit = UInt64(export.minimumBlock)
        largestRequest = UInt64(min(export.maximumBlock, NBDLimits.payload)).roundedDown(to: unit)
        preferredAlignment = UInt64(min(max(export.preferredBlock, 512), NBDLimits.payload))
    }

    /// The connection is gone: every call fails, or waits for another where there is a policy.
    public var isLost: Bool { line.isLost }

    /// How often a lost connection has been replaced.
    public var reconnections: UInt64 { line.reconnections }

    /// The server may take for ever from here on.
    public func waitForEver() { line.limit.lift() }

    public func interrupt() { line.interrupt() }

    deinit { line.close() }
}
