public import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol

/// A remote export as a device. Calls from many threads share one connection and overtake each other freely. When the
/// server goes away every call, waiting or later, throws `.disconnected`; there is no reconnecting.
public final class NBDClient: BlockDevice {
    /// A server must get on with its handshake. Seconds.
    private static let handshakePatience = 30

    public let size: UInt64
    public let isReadOnly: Bool
    public let preferredAlignment: UInt64

    let link: ClientLink
    let flags: TransmissionFlags
    /// Bytes: what every request must be a multiple of, and its greatest length.
    let unit: UInt64
    let largestRequest: UInt64
    /// Held exclusively while part of a `unit` is rewritten, shared by other writes; only used where `unit` > 1.
    let rewriting = ReadWriteLock()

    /// Connects to a Unix socket. `exportName` "" is the server's default export. `readOnly`: refuse writes here,
    /// whatever the server would allow. Throws `.notFound` when there is no socket or no such export.
    public static func connect(
        unixSocket path: String, exportName: String = "", readOnly: Bool = false
    ) throws(BlockError) -> NBDClient {
        let descriptor = unsafe gantry_unix_connect(path)
        guard descriptor >= 0 else { throw BlockError(call: "connect", errno: -descriptor, path: path) }
        return try NBDClient(descriptor: descriptor, exportName: exportName, readOnly: readOnly, peer: path)
    }

    /// Connects over TCP. The caller knows that the network is trusted: nothing is encrypted.
    public static func connect(
        host: String, port: UInt16, exportName: String = "", readOnly: Bool = false
    ) throws(BlockError) -> NBDClient {
        let descriptor = unsafe gantry_tcp_connect(host, port)
        let peer = "\(host):\(port)"
        guard descriptor >= 0 else { throw BlockError(call: "connect", errno: -descriptor, path: peer) }
        // A host that vanishes silently is noticed in the end.
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, socklen_t(MemoryLayout<Int32>.size))
        return try NBDClient(descriptor: descriptor, exportName: exportName, readOnly: readOnly, peer: peer)
    }

    /// Takes over a connected stream socket, also when it throws.
    init(descriptor: Int32, exportName: String, readOnly: Bool, peer: String) throws(BlockError) {
        var adopted = false
        defer { if !adopted { Glibc.close(descriptor) } }
        let (agreement, first): (ClientHandshake.Agreement, [UInt8])
        do throws(BlockError) {
            (agreement, first) = try Self.negotiate(descriptor, exportName)
        } catch {
            throw error.at(path: peer)
        }
        let export = agreement.export
        guard export.size % 512 == 0 else {
            throw BlockError(
                .unsupported, "the export's size, \(export.size) bytes, is not a multiple of 512", path: peer)
        }
        size = export.size
        flags = export.flags
        isReadOnly = readOnly || export.flags.contains(.readOnly)
        unit = UInt64(export.minimumBlock)
        largestRequest = UInt64(min(export.maximumBlock, NBDLimits.payload)).roundedDown(to: unit)
        preferredAlignment = UInt64(min(max(export.preferredBlock, 512), NBDLimits.payload))
        link = ClientLink(descriptor: descriptor, agreement: agreement, first: first)
        adopted = true
    }

    /// The connection is gone for good: every call fails.
    public var isLost: Bool { link.isFailed }

    deinit { link.close() }

    private static func negotiate(
        _ descriptor: Int32, _ name: String
    ) throws(BlockError) -> (ClientHandshake.Agreement, [UInt8]) {
        guard name.utf8.count <= NBDLimits.name else {
            throw BlockError(.limitExceeded, "an export name of more than \(NBDLimits.name) bytes")
        }
        setReceiveTimeout(descriptor, seconds: handshakePatience)
        var handshake = ClientHandshake(exportName: name)
        while let bytes = receiveBytes(descriptor, limit: 4096) {
            for effect in handshake.receive(bytes) {
                switch effect {
                case .send(let message):
                    let status = sendAll(descriptor, message)
                    guard status == 0 else { throw BlockError(call: "send", errno: status) }
                case .fail(let failure, let message):
                    throw BlockError(code(of: failure), message)
                case .transmit(let agreement):
                    setReceiveTimeout(descriptor, seconds: 0)
                    return (agreement, handshake.unconsumed)
                }
            }
        }
        throw BlockError(.disconnected, "the NBD server closed the connection in the handshake, or does not answer")
    }

    private static func code(of failure: ClientHandshake.Failure) -> BlockError.Code {
        switch failure {
        case .unknownExport: .notFound
        case .denied: .denied
        case .unsupported: .unsupported
        case .malformed: .disconnected
        }
    }
}
