import CLinux
import CoreTypes
import Glibc
import NBDProtocol
import Synchronization

/// A client's handshake, then transmission.
final class ServerConnection: ServedConnection {
    private let channel: Channel
    private let exports: [NBDExport]
    private let security: ServerSecurity?
    /// A client must get done with its handshake; a guest may be silent for ever afterwards. Seconds.
    private let patience: Double
    let counts = ConnectionCounts()
    private let isCut = Atomic<Bool>(false)

    init(descriptor: Int32, exports: [NBDExport], security: ServerSecurity?, patience: Double) {
        channel = Channel(descriptor: descriptor)
        self.exports = exports
        self.security = security
        self.patience = patience
    }

    func interrupt() {
        isCut.store(true, ordering: .relaxed)
        channel.interrupt()
        for export in exports { export.throttle.wake() }
    }

    func run() {
        let offers = exports.map(\.offer)
        let deadline = HandshakeDeadline(seconds: patience)
        var handshake = ServerHandshake(
            exports: offers.map(\.description), encryption: security?.encryption ?? .none)
        guard channel.send(handshake.greeting) == 0 else { return }
        while let bytes = channel.receiveBytes(limit: 4096, until: deadline) {
            for effect in handshake.receive(bytes) {
                switch effect {
                case .send(let answer):
                    guard channel.send(answer) == 0 else { return }
                case .close, .lookUp:
                    return
                case .startTLS:
                    // The reason of a refusal goes to the client as an alert.
                    guard let security, (try? channel.secure(security.credentials, until: deadline)) != nil
                    else { return }
                    handshake.secured()
                case .transmit(let agreement):
                    HandshakeDeadline.lift(channel.descriptor)
                    let session = ExportSession(
                        channel, export: exports[agreement.export], offer: offers[agreement.export],
                        agreement: agreement, first: handshake.unconsumed, counts: counts,
                        isCut: { [self] in isCut.load(ordering: .relaxed) })
                    session?.run()
                    channel.tls?.finish()
                    return
                }
            }
        }
    }
}
