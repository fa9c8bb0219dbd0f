import CLinux
import CoreTypes
import Glibc
import NBDProtocol

/// One accepted client: handshake, then transmission. Runs on its own thread; the server closes the socket afterwards.
final class ServerConnection: Sendable {
    /// A client must get on with its handshake; a guest may be silent for ever afterwards. Seconds.
    private static let handshakePatience = 30

    let descriptor: Int32
    private let exports: [NBDExport]
    let counts = ConnectionCounts()

    init(descriptor: Int32, exports: [NBDExport]) {
        self.descriptor = descriptor
        self.exports = exports
    }

    /// Makes a blocked `run` return soon. The descriptor must still be open.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func run() {
        let descriptions = exports.map(\.described)
        setReceiveTimeout(descriptor, seconds: Self.handshakePatience)
        var handshake = ServerHandshake(exports: descriptions)
        guard sendAll(descriptor, handshake.greeting) == 0 else { return }
        while let bytes = receiveBytes(descriptor, limit: 4096) {
            for effect in handshake.receive(bytes) {
                switch effect {
                case .send(let answer):
                    guard sendAll(descriptor, answer) == 0 else { return }
                case .close:
                    return
                case .transmit(let agreement):
                    setReceiveTimeout(descriptor, seconds: 0)
                    let session = ExportSession(
                        descriptor: descriptor, export: exports[agreement.export],
                        size: descriptions[agreement.export].size, agreement: agreement,
                        first: handshake.unconsumed, counts: counts)
                    session?.run()
                    return
                }
            }
        }
    }
}
