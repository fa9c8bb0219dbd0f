import BlockIO
import CoreTypes
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Connections that are cut so that their clients make new ones.
@Suite struct DisconnectTests {
    /// A client repeats what was not answered. Its new connection is served when nothing of the old one is under way: a
    /// request of old cannot come after what the client sent later.
    @Test func aNewConnectionWaitsForWhatTheOldOneHadBegun() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let (server, path) = (served.server, served.path)
        let old = try served.connect()
        device.closeGate()
        let flush = WorkerThread("flush") { try? old.flush() }
        device.awaitFlush()
        let cut = WorkerThread("cut") { server.disconnectClients() }
        flush.join()
        // It is cut, and its flush still waits.
        #expect(device.flushCount == 0)
        let order = Mutex<[String]>([])
        let connect = WorkerThread("connect") {
            guard let new = try? NBDClient.connect(unixSocket: path, exportName: "disk", readOnly: false) else {
                return
            }
            order.withLock { $0.append("connected after \(device.flushCount) flushes") }
            try? new.close()
        }
        // Until it is through the gate nobody is served.
        #expect(order.withLock { $0 }.isEmpty)
        device.openGate()
        cut.join()
        connect.join()
        #expect(order.withLock { $0 } == ["connected after 1 flushes"])
        // Who was never cut stays, and a second cut finds who came since.
        let last = try served.connect()
        try last.put([7], at: 0)
        served.server.disconnectClients()
        #expect(throws: BlockError.self) { try last.put([8], at: 0) }
        #expect(try served.connect().bytes(at: 0, 1) == [7])
        served.server.disconnectClients()
    }
}
