public import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol
import Synchronization

/// Serves devices to NBD clients: one named thread for each listener and each connection. It lives until `stop()`.
/// All methods may be called from any thread.
public final class NBDServer: Sendable {
    private struct State {
        var connections = ServedConnections<ServerConnection>()
        /// What the connections that have ended did.
        var past = RequestCounts()
        /// Old connections are being ended, and who comes now waits until they have.
        var isExchanging = false
        var waiting: [Int32] = []
    }

    private let exports: [NBDExport]
    private let security: ServerSecurity?
    private let connectionLimit: Int
    private let handshakeSeconds: Double
    private let state = Mutex(State())

    /// `exports`: at least one; the first also answers to the empty name. Clients beyond `connectionLimit` are turned
    /// away at once, and those whose handshake is not over after `handshakeSeconds` are cut. `security` nil: nothing is
    /// encrypted.
    public init(
        exports: [NBDExport], security: ServerSecurity? = nil, connectionLimit: Int = 128,
        handshakeSeconds: Double = 30
    ) {
        precondition(!exports.isEmpty, "a server needs an export")
        self.exports = exports
        self.security = security
        self.connectionLimit = connectionLimit
        self.handshakeSeconds = handshakeSeconds
    }

    /// Listens on a Unix socket (mode 0600; a stale socket file is replaced). It accepts when this returns.
    public func start(unixSocket path: String) throws(BlockError) {
        let descriptor = unsafe gantry_unix_listen(path, 64)
        guard descriptor >= 0 else { throw BlockError(call: "listen", errno: -descriptor, path: path) }
        try adopt(Listener(descriptor: descriptor, path: path))
    }

    /// Listens on a Unix socket of that path, which is no other server's: `.busy` when one answers there, where
    /// `start(unixSocket:)` takes the path from it. A socket whose server is gone is replaced.
    public func start(unservedSocket path: String) throws(BlockError) {
        let other = unsafe gantry_unix_connect_at_once(path)
        if other >= 0 { Glibc.close(other) }
        // EAGAIN: it has no room for one more client just now. EPROTOTYPE: it is a server of another kind.
        if other >= 0 || other == -EAGAIN || other == -EPROTOTYPE {
            throw BlockError(.busy, "another server listens on this socket; end it, or choose another path", path: path)
        }
        try start(unixSocket: path)
    }

    /// Listens on a numeric address. Port 0 picks a free one; returns the port.
    @discardableResult
    public func start(address: String, port: UInt16) throws(BlockError) -> UInt16 {
        let descriptor = unsafe gantry_tcp_listen(address, port, 64)
        guard descriptor >= 0 else { throw BlockError(call: "listen", errno: -descriptor, path: "\(address):\(port)") }
        let chosen = gantry_tcp_port(descriptor)
        guard chosen >= 0 else {
            Glibc.close(descriptor)
            throw BlockError(call: "getsockname", errno: -chosen)
        }
        try adopt(Listener(descriptor: descriptor, path: nil))
        return UInt16(chosen)
    }

    /// Accepts on a listening stream socket, which the server closes in the end.
    public func start(listening descriptor: Int32) throws(BlockError) {
        try adopt(Listener(descriptor: descriptor, path: nil))
    }

    public var connectionCount: Int { state.withLock { $0.connections.open.count } }

    /// What was done for all clients so far, those that have left included.
    public var requestCounts: RequestCounts {
        state.withLock { state in state.connections.open.values.reduce(state.past) { $0 + $1.counts.counts } }
    }

    /// Takes no more connections and cuts those that there are: nobody gets a reply from now on. `stop` waits for their ends.
    public func cut() {
        for listener in state.withLock({ $0.connections.stopListening() }) { listener.stop() }
        state.withLock { $0.connections.interrupt() }
    }

    /// Cuts the connections that there are, whose clients may connect again: they learn then what has become of the exports.
    /// What was received on the old ones is completed on the device, without replies, before a new one is served: a request
    /// that a client repeats, and what it sends after that, is never overtaken by its first copy. Waits for that; not while
    /// the device keeps requests waiting.
    public func disconnectClients() {
        let threads = state.withLock { state -> [WorkerThread]? in
            if state.connections.isStopping || state.isExchanging { return nil }
            state.isExchanging = true
            return state.connections.interruptAll()
        }
        guard let threads else { return }
        for thread in threads { thread.join() }
        let waiting = state.withLock { state in
            state.isExchanging = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for descriptor in waiting { admit(descriptor) }
    }

    /// Closes the listeners, ends every connection and returns when all threads have ended and all sockets are closed.
    /// Requests already received are completed on the device. Later calls do nothing.
    public func stop() {
        for listener in state.withLock({ $0.connections.stopListening() }) { listener.stop() }
        // `disconnectClients` has the threads that it waits for.
        while state.withLock({ $0.isExchanging }) { usleep(1000) }
        // Nobody accepts any more, so that these are all there will be.
        for thread in state.withLock({ $0.connections.interruptAll() }) { thread.join() }
    }

    private func adopt(_ listener: Listener) throws(BlockError) {
        let isAccepted = state.withLock { state in state.connections.accept(listener) { [self] in admit($0) } }
        if !isAccepted {
            listener.stop()
            throw BlockError(.cancelled, "the server has been stopped")
        }
    }

    /// On a listener's thread: gives a new client a thread of its own.
    private func admit(_ descriptor: Int32) {
        for thread in state.withLock({ $0.connections.takeEnded() }) { thread.join() }
        let connection = ServerConnection(
            descriptor: descriptor, exports: exports, security: security, patience: handshakeSeconds)
        state.withLock { state in
            guard !state.connections.isStopping,
                state.connections.open.count + state.waiting.count < connectionLimit
            else {
                Glibc.close(descriptor)
                return
            }
            if state.isExchanging {
                state.waiting.append(descriptor)
                return
            }
            state.connections.serve(connection, descriptor, named: "nbd") { [self] in leave($0, descriptor) }
        }
    }

    /// On a connection's thread, at its end.
    private func leave(_ number: UInt64, _ descriptor: Int32) {
        state.withLock { state in
            guard let connection = state.connections.end(number, descriptor) else { return }
            state.past = state.past + connection.counts.counts
        }
    }
}
