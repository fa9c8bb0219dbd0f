import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// Lets strangers in to exports: it speaks the handshake with them, asks a directory for what they name, and passes on what
/// follows to the server that has it. One named thread for each listener, two for each client. All methods may be called from
/// any thread.
public final class NBDGate: Sendable {
    private let directory: any ExportDirectory
    private let connectionLimit: Int
    private let handshakeSeconds: Double
    private let connections = Mutex(ServedConnections<GateConnection>())

    /// Clients beyond `connectionLimit` are turned away at once, those whose handshake is not over after `handshakeSeconds` are
    /// cut.
    public init(_ directory: any ExportDirectory, connectionLimit: Int = 64, handshakeSeconds: Double = 30) {
        self.directory = directory
        self.connectionLimit = connectionLimit
        self.handshakeSeconds = handshakeSeconds
    }

    public var connectionCount: Int { connections.withLock { $0.open.count } }

    /// Accepts on a listening stream socket, which the gate closes in the end. `security` nil: nothing is encrypted.
    public func start(listening descriptor: Int32, security: ServerSecurity?) {
        let listener = Listener(descriptor: descriptor, path: nil)
        let isAccepted = connections.withLock { $0.accept(listener) { [self] in admit($0, security) } }
        if !isAccepted { listener.stop() }
    }

    /// Ends every connection and returns when all threads have ended.
    public func stop() {
        for listener in connections.withLock({ $0.stopListening() }) { listener.stop() }
        for thread in connections.withLock({ $0.interruptAll() }) { thread.join() }
    }

    private func admit(_ descriptor: Int32, _ security: ServerSecurity?) {
        for thread in connections.withLock({ $0.takeEnded() }) { thread.join() }
        // A client that is gone without a word is noticed after some minutes.
        var yes: Int32 = 1
        // SAFETY: the option's value is the local variable.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, socklen_t(MemoryLayout<Int32>.size))
        let connection = GateConnection(
            descriptor: descriptor, directory: directory, security: security, peer: Self.peer(descriptor),
            patience: handshakeSeconds)
        connections.withLock { connections in
            guard !connections.isStopping, connections.open.count < connectionLimit else {
                Glibc.close(descriptor)
                return
            }
            connections.serve(connection, descriptor, named: "gate") { [self] number in
                _ = self.connections.withLock { $0.end(number, descriptor) }
            }
        }
    }

    private static func peer(_ descriptor: Int32) -> String {
        var text = [CChar](repeating: 0, count: 64)
        // SAFETY: the call writes at most `count` bytes, with their end.
        let status = unsafe gantry_peer_name(descriptor, &text, Int32(text.count))
        return status < 0 ? "" : String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
