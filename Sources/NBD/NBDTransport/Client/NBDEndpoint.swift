public import BlockIO
import CLinux
public import CoreTypes
import Glibc
import NBDProtocol

/// Where an export is, and how a client gets to it: again and again, if need be.
public struct NBDEndpoint: Sendable {
    enum Place: Sendable {
        case unixSocket(String)
        case host(String, UInt16)
        /// A connected socket, once.
        case connected(Int32, peer: String)
    }

    let place: Place
    let exportName: String
    let credentials: TLSCredentials?
    let peerName: String

    /// A Unix socket. `exportName` "" is the server's default export. With `credentials`, a client's, everything goes through
    /// TLS and the server's certificate must name `peerName`; nothing is said to a server without it.
    public init(
        unixSocket path: String, exportName: String = "", credentials: TLSCredentials? = nil,
        peerName: String = "localhost"
    ) {
        self.init(.unixSocket(path), exportName, credentials, peerName)
    }

    /// A numeric address or a host's name, which the server's certificate must name unless `peerName` is given.
    public init(
        host: String, port: UInt16, exportName: String = "", credentials: TLSCredentials? = nil,
        peerName: String? = nil
    ) {
        self.init(.host(host, port), exportName, credentials, peerName ?? host)
    }

    /// Reads the certificates that the location names, anew each time. Throws as `TLSCredentials.client`.
    public init(_ location: NBDLocation) throws(BlockError) {
        switch location {
        case .tcp(let host, let port, let export): self.init(host: host, port: port, exportName: export)
        case .unix(let socket, let export): self.init(unixSocket: socket, exportName: export)
        case .secured(let inner, let folder, let peerName):
            let plain = try NBDEndpoint(inner)
            self.init(plain.place, plain.exportName, try .client(folder: folder), peerName ?? plain.peerName)
        }
    }

    init(_ place: Place, _ exportName: String, _ credentials: TLSCredentials?, _ peerName: String) {
        precondition(credentials?.isServer != true, "a client needs a client's certificate")
        self.place = place
        self.exportName = exportName
        self.credentials = credentials
        self.peerName = peerName
    }

    /// A server must get done with its handshake. Seconds.
    private static let handshakePatience = 30.0

    /// A connection in its transmission phase. The channel's descriptor is the caller's.
    func connect() throws(BlockError) -> (
        channel: Channel, agreement: ClientHandshake.Agreement, first: [UInt8]
    ) {
        let (descriptor, peer) = try open()
        let channel = Channel(descriptor: descriptor)
        do throws(BlockError) {
            let (agreement, first) = try negotiate(channel)
            guard agreement.export.size % 512 == 0 else {
                throw BlockError(
                    .unsupported, "the export's size, \(agreement.export.size) bytes, is not a multiple of 512")
            }
            return (channel, agreement, first)
        } catch {
            Glibc.close(descriptor)
            throw error.at(path: peer)
        }
    }

    private func open() throws(BlockError) -> (Int32, peer: String) {
        switch place {
        case .connected(let descriptor, let peer):
            return (descriptor, peer)
        case .unixSocket(let path):
            let descriptor = unsafe Dialers.connect(path) ?? gantry_unix_connect(path)
            guard descriptor >= 0 else { throw BlockError(call: "connect", errno: -descriptor, path: path) }
            return (descriptor, path)
        case .host(let host, let port):
            let peer = "\(host):\(port)"
            let descriptor = unsafe Dialers.connect(peer) ?? gantry_tcp_connect(host, port)
            guard descriptor >= 0 else { throw BlockError(call: "connect", errno: -descriptor, path: peer) }
            return (descriptor, peer)
        }
    }

    private func negotiate(_ channel: Channel) throws(BlockError) -> (ClientHandshake.Agreement, [UInt8]) {
        guard exportName.utf8.count <= NBDLimits.name else {
            throw BlockError(.limitExceeded, "an export name of more than \(NBDLimits.name) bytes")
        }
        let deadline = HandshakeDeadline(seconds: Self.handshakePatience)
        var handshake = ClientHandshake(exportName: exportName, encrypted: credentials != nil)
        while let bytes = channel.receiveBytes(limit: 4096, until: deadline) {
            var effects = handshake.receive(bytes)
            while !effects.isEmpty {
                switch effects.removeFirst() {
                case .send(let message):
                    let status = channel.send(message)
                    guard status == 0 else { throw BlockError(call: "send", errno: status) }
                case .startTLS:
                    guard let credentials else { throw BlockError(.io, "TLS without credentials") }
                    try channel.secure(credentials, peerName: peerName, until: deadline)
                    effects += handshake.secured()
                case .fail(let failure, let message):
                    throw BlockError(Self.code(of: failure), message)
                case .transmit(let agreement):
                    HandshakeDeadline.lift(channel.descriptor)
                    return (agreement, handshake.unconsumed)
                }
            }
        }
        var reason = "the NBD server closed the connection in the handshake, or does not answer"
        if channel.tls != nil { reason += "; it may not accept this client's certificate" }
        throw BlockError(.disconnected, reason)
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
