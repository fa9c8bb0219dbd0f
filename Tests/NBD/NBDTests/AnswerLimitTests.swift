import BlockIO
import CoreTypes
import Glibc
import NBDTransport
import TestSupport
import Testing

/// Servers that hang on a living host: nothing but time tells.
struct AnswerLimitTests {
    @Test func aServerThatHangsIsLostWhenItsTimeIsOver() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let client = try NBDClient(NBDEndpoint(unixSocket: served.path), answerSeconds: 0.02)
        // A client that nobody asks anything waits for nothing.
        usleep(60_000)
        #expect(!client.isLost)
        device.closeGate()
        defer { device.openGate() }
        #expect { try client.flush() } throws: { ($0 as? BlockError)?.code == .disconnected }
        #expect(client.isLost)
        #expect { try client.bytes(at: 0, 3) } throws: { ($0 as? BlockError)?.code == .disconnected }
    }

    /// What has become the disk itself waits, however long it takes.
    @Test func aLimitThatIsLiftedCutsNobody() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let client = try NBDClient(NBDEndpoint(unixSocket: served.path), answerSeconds: 0.02)
        device.closeGate()
        client.waitForEver()
        let flush = WorkerThread("flush") { _ = try? client.flush() }
        device.awaitFlush()
        usleep(250_000)
        device.openGate()
        flush.join()
        #expect(!client.isLost)
        #expect(try client.bytes(at: 0, 1) == [0])
    }

    /// With a policy a hung server is one that went away: the request is done by the next, or given up in the end.
    @Test func aHungServerIsReplacedWhereThereIsAPolicy() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let client = try NBDClient(
            NBDEndpoint(unixSocket: served.path), reconnect: ReconnectPolicy(seconds: 60), answerSeconds: 0.02)
        try client.put([7], at: 9)
        device.closeGate()
        let opener = WorkerThread("opener") {
            while client.reconnections == 0 { usleep(1000) }
            device.openGate()
        }
        try client.flush()
        opener.join()
        #expect(client.reconnections > 0)
        #expect(try client.bytes(at: 9, 1) == [7])
    }

    @Test func whoEndsAMirrorCutsAllItsConnections() throws {
        let device = GateDevice(size: 1 << 20)
        let served = try Served(device)
        let location = try #require(NBDLocation(parsing: served.uri))
        let export = UnflushedExport(try NBDConnections(location, count: 4))
        device.closeGate()
        defer { device.openGate() }
        let flush = WorkerThread("flush") {
            #expect { try export.flush() } throws: { ($0 as? BlockError)?.code == .disconnected }
        }
        device.awaitFlush()
        export.interrupt()
        flush.join()
        #expect { try export.bytes(at: 0, 1) } throws: { ($0 as? BlockError)?.code == .disconnected }
    }
}
