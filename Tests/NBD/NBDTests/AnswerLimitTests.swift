import BlockIO
import CLinux
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

    /// What takes long to send is not the server's silence.
    @Test func aSlowWayToALivingServerIsNoSilence() throws {
        let served = try Served(MemoryDevice(size: 4 << 20))
        let path = served.folder.file("slow")
        let listener = unsafe gantry_unix_listen(path, 1)
        #expect(listener >= 0)
        defer { close(listener) }
        let server = unsafe gantry_unix_connect(served.path)
        let way = WorkerThread("way") {
            let client = gantry_accept(listener)
            let back = WorkerThread("back") { relay(server, to: client, pause: 0) }
            relay(client, to: server, pause: 60_000)
            back.join()
            close(client)
        }
        let client = try NBDClient(NBDEndpoint(unixSocket: path), answerSeconds: 1.5)
        // Longer than that on its way.
        let bytes = [UInt8](repeating: 5, count: 2 << 20)
        try client.put(bytes, at: 0)
        #expect(!client.isLost)
        try client.close()
        way.join()
        close(server)
        #expect(try served.device.bytes(at: 0, bytes.count) == bytes)
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

/// Passes on what comes until nothing more does. `pause`: microseconds after each piece of a large request.
private func relay(_ from: Int32, to: Int32, pause: UInt32) {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    var isOver = false
    while !isOver {
        // SAFETY: the array's own storage.
        isOver = unsafe piece.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            let count = Int(unsafe gantry_receive(from, base, buffer.count))
            var sent = 0
            while sent < count {
                let part = unsafe gantry_send(to, base + sent, count - sent)
                if part <= 0 { return true }
                sent += Int(part)
            }
            if count > 4096, pause > 0 { usleep(pause) }
            return count <= 0
        }
    }
    shutdown(to, Int32(SHUT_WR))
}
