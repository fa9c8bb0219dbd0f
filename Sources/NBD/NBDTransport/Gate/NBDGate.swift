import BlockIO
import CLinux
import CoreTypes
import Glibc
import Synchronization

/// Lets strangers in to exports: it speaks the handshake with them, asks a directory for what they name, and passes on what
/// follows to the server that has it. One named thread for each listener, two for each client. All methods may be called from
/// any thread.
public final class NBDGate: Sendable {
    private struct State {
        var listeners: [Listener] = []
        var stopping = false
        var connections = ServedConnections<GateConnection>()
    }

    private let directory: any ExportDirectory
    private let connectionLimit: Int
    private let handshakeSeconds: Double
    private let state = Mutex(State())

    /// Clients beyond `connectionLimit` are turned away at once, those whose handshake is not over after `handshakeSeconds` are
    /// cut.
    public init(_ directory: any ExportDirectory, connectionLimit: Int = 64, handshakeSeconds: Double = 30) {
        self.directory = directory
        self.connectionLimit = connectionLimit
        self.handshakeSeconds = handshakeSeconds
    }

    public var connectionCount: Int { state.withLock { $0.connections.open.count } }

    /// Accepts on a listening stream socket, which the gate closes in the end. `security` nil: nothing is encrypted.
    public func start(listening descriptor: Int32, security: ServerSecurity?) {
        let listener = Listener(descriptor: descriptor, path: nil)
        state.withLock { state in
            state.listeners.append(listener)
            listener.run { [self] in admit($0, security) }
        }
    }

    /// Ends every connection and returns when all threads have ended.
    public func stop() {
        let listeners = state.withLock { state in
            state.stopping = true
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener.stop() }
        let threads = state.withLock { state in
            for connection in state.connections.open.values { connection.interrupt() }
            return state.connections.takeThreads()
        }
        for thread in threads { thread.join() }
    }

    private func admit(_ descriptor: Int32, _ security: ServerSecurity?) {
        for thread in state.withLock({ $0.connections.takeEnded() }) { thread.join() }
        // A client that is gone without a word is noticed after some minutes.
        var yes: Int32 = 1
        // SAFETY: the option's value is the local variable.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, socklen_t(MemoryLayout<Int32>.size))
        let connection = GateConnection(
            descriptor: descriptor, directory: directory, security: security, peer: Self.peer(descriptor),
            patience: handshakeSeconds)
        state.withLock { state in
            guard !state.stopping, state.connections.open.count < connectionLimit else {
                Glibc.close(descriptor)
                return
            }
            let isServed = state.connections.add(connection) { number in
                WorkerThread(ifPossible: "gate-\(number)") { [self] in
                    connection.run()
                    leave(number, descriptor)
                }
            }
            if !isServed { Glibc.close(descriptor) }
        }
    }

    /// Closing under the lock keeps `stop` from a descriptor used anew.
    private func leave(_ number: UInt64, _ descriptor: Int32) {
        state.withLock { state in
            Glibc.close(descriptor)
            _ = state.connections.end(number)
        }
    }

    private static func peer(_ descriptor: Int32) -> String {
        var text = [CChar](repeating: 0, count: 64)
        // SAFETY: the call writes at most `count` bytes, with their end.
        let status = unsafe gantry_peer_name(descriptor, &text, Int32(text.count))
        return status < 0 ? "" : String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
