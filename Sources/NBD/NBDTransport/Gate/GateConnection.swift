import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol
import Synchronization

/// One client of a gate: the handshake is spoken here, and what follows passes between it and the server behind, in TLS on the
/// client's side where that was agreed on.
final class GateConnection: ServedConnection {
    private let channel: Channel
    private let directory: any ExportDirectory
    private let security: ServerSecurity?
    private let peer: String
    private let patience: Double
    private let upstream = Mutex<Int32>(-1)
    private let isCut = Atomic<Bool>(false)

    /// Bytes that pass at once, each way.
    private static let piece = 256 << 10
    /// The server behind must get done with its handshake in so many seconds.
    private static let upstreamPatience = 30.0

    init(
        descriptor: Int32, directory: any ExportDirectory, security: ServerSecurity?, peer: String, patience: Double
    ) {
        channel = Channel(descriptor: descriptor)
        self.directory = directory
        self.security = security
        self.peer = peer
        self.patience = patience
    }

    func interrupt() {
        isCut.store(true, ordering: .releasing)
        channel.interrupt()
        upstream.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } }
    }

    func run() {
        var deadline = HandshakeDeadline(seconds: patience)
        var handshake = ServerHandshake(lookingUpWith: security?.encryption ?? .none)
        var found: (target: GateTarget, description: ExportDescription)?
        defer { if let found { leave(found.target) } }
        guard channel.send(handshake.greeting) == 0 else { return }
        while let bytes = channel.receiveBytes(limit: 4096, until: deadline) {
            var effects = handshake.receive(bytes)[...]
            while let effect = effects.popFirst() {
                switch effect {
                case .send(let answer):
                    guard channel.send(answer) == 0 else { return }
                case .close:
                    return
                case .startTLS:
                    guard let security, (try? channel.secure(security.credentials, until: deadline)) != nil
                    else { return }
                    handshake.secured()
                case .lookUp(let name):
                    if let earlier = found { leave(earlier.target) }
                    found = nil
                    let asked = gantry_now()
                    defer { deadline.extend(by: gantry_now() - asked) }
                    do throws(BlockError) {
                        let next = try lookUp(name)
                        found = next
                        effects += handshake.found(next.description)
                    } catch {
                        effects += handshake.refused(error.message)
                    }
                case .transmit(let agreement):
                    HandshakeDeadline.lift(channel.descriptor)
                    if let found { serve(found.target, found.description, agreement, first: handshake.unconsumed) }
                    channel.tls?.finish()
                    return
                }
            }
        }
    }

    private func leave(_ target: GateTarget) {
        for socket in target.sockets { Glibc.close(socket) }
        directory.close(target)
    }

    private func lookUp(
        _ name: String
    ) throws(BlockError) -> (target: GateTarget, description: ExportDescription) {
        let target = try directory.open(name, peer: peer)
        do throws(BlockError) {
            guard target.sockets.count == 2 else { throw BlockError(.io, "the export cannot be reached") }
            let handshake = UpstreamHandshake(describing: target.exportName)
            guard case .described(let description) = try negotiate(handshake, target.sockets[0]) else {
                throw BlockError(.io, "the export cannot be reached")
            }
            return (target, description)
        } catch {
            leave(target)
            throw error
        }
    }

    /// Speaks with the server behind until the last effect, which is returned.
    private func negotiate(
        _ handshake: UpstreamHandshake, _ descriptor: Int32
    ) throws(BlockError) -> UpstreamHandshake.Effect {
        let channel = Channel(descriptor: descriptor)
        let deadline = HandshakeDeadline(seconds: Self.upstreamPatience)
        var handshake = handshake
        while let bytes = channel.receiveBytes(limit: 4096, until: deadline) {
            for effect in handshake.receive(bytes) {
                switch effect {
                case .send(let message):
                    let status = channel.send(message)
                    guard status == 0 else { throw BlockError(call: "send", errno: status) }
                case .fail(let reason): throw BlockError(.io, reason)
                case .described, .transmit: return effect
                }
            }
        }
        throw BlockError(.disconnected, "the export's server does not answer")
    }

    private func serve(
        _ target: GateTarget, _ description: ExportDescription, _ agreement: ServerHandshake.Agreement, first: [UInt8]
    ) {
        let server = target.sockets[1]
        let handshake = UpstreamHandshake(name: target.exportName, like: agreement, of: description)
        guard (try? negotiate(handshake, server)) == .transmit else { return }
        HandshakeDeadline.lift(server)
        upstream.withLock { $0 = server }
        // Whoever interrupts from here on finds the server's socket.
        if isCut.load(ordering: .acquiring) { shutdown(server, Int32(SHUT_RDWR)) }
        relay(server, first)
        upstream.withLock { $0 = -1 }
    }

    /// Until either side is at its end; then the other one is ended too.
    private func relay(_ server: Int32, _ first: [UInt8]) {
        let behind = Channel(descriptor: server)
        guard first.isEmpty || behind.send(first) == 0, let requests = MappedBuffer(capacity: Self.piece)
        else { return }
        let back = WorkerThread(ifPossible: "gate-reply") { [channel] in
            let replies = MappedBuffer(capacity: Self.piece)
            // SAFETY: the buffer is this thread's.
            while let replies, case let count = unsafe behind.receive(replies.base, replies.capacity), count > 0 {
                if unsafe channel.send(replies.base, count) != 0 { break }
            }
            // A client that still sends would not notice.
            shutdown(channel.descriptor, Int32(SHUT_RD))
        }
        guard let back else { return }
        // SAFETY: the buffer is this thread's.
        while case let count = unsafe channel.receive(requests.base, requests.capacity), count > 0 {
            if unsafe behind.send(requests.base, count) != 0 { break }
        }
        // What was asked for is still answered to a client that only says that it asks for no more.
        shutdown(server, Int32(SHUT_WR))
        back.join()
    }
}
