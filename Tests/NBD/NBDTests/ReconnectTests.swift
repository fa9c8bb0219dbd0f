import BlockIO
import Glibc
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Servers that die under load and come back: nothing that was acknowledged is lost, and callers notice nothing.
struct ReconnectTests {
    /// A server's process at one socket, started again and again. The images of qcow2 lose what only the process knew.
    final class Mortal: @unchecked Sendable {
        // @unchecked: `current` is touched with `lock` held.
        let folder: ScratchFolder
        let tool: String
        private let arguments: [String]
        private let lock = Monitor()
        private var current: ClientPeerTests.Background?
        var socket: String { folder.file("mortal") }

        init(_ tool: String, _ arguments: (ScratchFolder) throws -> [String]) throws {
            folder = try ScratchFolder("mortal")
            self.tool = tool
            self.arguments = try arguments(folder)
            try start()
        }

        func start() throws {
            let arguments = arguments
            let started = try ClientPeerTests.Background(tool) { _ in arguments }
            // The name that clients know leads to the socket of the process that lives.
            unsafe unlink(socket)
            guard unsafe symlink(started.socket, socket) == 0 else { throw BlockError(call: "symlink", errno: errno) }
            lock.locked { current = started }
        }

        func kill() {
            lock.locked { current }?.killAndWait()
        }
    }

    static let kinds = ["qemu-nbd qcow2", "qemu-nbd raw", "nbdkit"]

    private func mortal(_ kind: String) throws -> Mortal {
        try Mortal(kind == "nbdkit" ? "nbdkit" : "qemu-nbd") { folder in
            let image = folder.file("image")
            let format = kind.hasSuffix("qcow2") ? "qcow2" : "raw"
            try Tool.check("qemu-img", ["create", "-q", "-f", format, image, "4M"])
            return kind == "nbdkit" ? ["file", image] : ["-f", format, "--cache=writeback", image]
        }
    }

    @Test(arguments: kinds) func aVerifiedLoadSurvivesKillsOfItsServer(kind: String) throws {
        var random = SeededRandom.printed()
        let server = try mortal(kind)
        let client = try NBDClient(
            NBDEndpoint(unixSocket: server.socket), reconnect: ReconnectPolicy(seconds: 60, memory: 2 << 20))
        let share = (client.size / 3) & ~65535
        let failures = Failures()
        let seeds = (0..<3).map { _ in random.next() }
        let running = Atomic<Int>(3)
        let workers = (0..<3).map { index in
            WorkerThread("load-\(index)") {
                do {
                    let start = UInt64(index) * share
                    var run = ModelRun(client, region: start..<start + share, seed: seeds[index])
                    for _ in 0..<3 { try run.run(20) }
                } catch { failures.add("\(error)") }
                running.subtract(1, ordering: .relaxed)
            }
        }
        // At least twice, and then as long as there is load.
        var kills = 0
        while kills < 2 || (kills < 3 && running.load(ordering: .relaxed) > 0) {
            usleep(UInt32.random(in: 1000...60_000, using: &random))
            server.kill()
            try server.start()
            kills += 1
        }
        for worker in workers { worker.join() }
        #expect(failures.all == [])
        // What a flush has covered is on the disk, whoever dies next.
        let bytes = random.bytes(1 << 20)
        try client.put(bytes, at: 12_288)
        server.kill()
        try server.start()
        try client.flush()
        #expect(client.reconnections >= 1)
        server.kill()
        try server.start()
        #expect(try NBDClient.connect(unixSocket: server.socket).bytes(at: 12_288, bytes.count) == bytes)
        #expect(try client.bytes(at: 12_288, bytes.count) == bytes)
        try client.close()
    }

    /// The server forgets every write that no flush has covered: they come again, in their order, before anything else.
    @Test func whatADeadServerForgotIsRepeatedBeforeTheNextRequest() throws {
        let folder = try ScratchFolder("forgetful")
        let durable = MemoryDevice(size: 1 << 20)
        func serve(_ volatile: MemoryDevice) throws -> NBDServer {
            let server = NBDServer(exports: [NBDExport(name: "disk", device: volatile)])
            try server.start(unixSocket: folder.file("s"))
            return server
        }
        let first = try serve(durable)
        let client = try NBDClient(
            NBDEndpoint(unixSocket: folder.file("s")), reconnect: ReconnectPolicy(seconds: 60))
        try client.put([1, 1, 1, 1], at: 0)
        try client.flush()
        try client.put([2, 2], at: 1)
        try client.put([3], at: 2)
        try client.writeZeroes(at: 3, length: 1, mayUnmap: true)
        first.stop()
        // What was flushed is there, and nothing else.
        let survivor = MemoryDevice(content: [1, 1, 1, 1] + [UInt8](repeating: 0, count: (1 << 20) - 4))
        let second = try serve(survivor)
        #expect(try client.bytes(at: 0, 4) == [1, 2, 3, 0])
        #expect(try survivor.bytes(at: 0, 4) == [1, 2, 3, 0])
        try client.flush()
        second.stop()
        // Now it is the server's to keep.
        let third = try serve(MemoryDevice(size: 1 << 20))
        #expect(try client.bytes(at: 0, 4) == [0, 0, 0, 0])
        try client.close()
        third.stop()
    }

    /// More than it may keep makes the client flush by itself.
    @Test func whatIsKeptStaysBounded() throws {
        let gate = GateDevice(size: 8 << 20)
        let served = try Served(gate)
        let client = try NBDClient(
            NBDEndpoint(unixSocket: served.path), reconnect: ReconnectPolicy(seconds: 60, memory: 1 << 20))
        let block = [UInt8](repeating: 1, count: 256 << 10)
        for index in 0..<16 { try client.put(block, at: UInt64(index) * 262_144) }
        #expect(gate.flushCount >= 3)
        try client.close()
    }

    @Test func anOutageThatIsTooLongFailsEveryCaller() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let client = try NBDClient(
            NBDEndpoint(unixSocket: served.path), reconnect: ReconnectPolicy(seconds: 0.2))
        try client.put([1], at: 0)
        served.server.stop()
        let failures = Failures()
        let callers = (0..<3).map { _ in
            WorkerThread("caller") {
                do { try client.put([2], at: 0) } catch { failures.add((error as? BlockError)?.code.name ?? "?") }
            }
        }
        for caller in callers { caller.join() }
        #expect(failures.all.count == 3)
        #expect(throws: BlockError.self) { try client.flush() }
    }

    /// Another export in the place of the one that was there is no reconnection.
    @Test func aSmallerExportIsNotTakenForTheSame() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let client = try NBDClient(
            NBDEndpoint(unixSocket: served.path), reconnect: ReconnectPolicy(seconds: 0.2))
        try client.put([1], at: 0)
        served.server.stop()
        let smaller = NBDServer(exports: [NBDExport(name: "disk", device: MemoryDevice(size: 1 << 19))])
        try smaller.start(unixSocket: served.path)
        defer { smaller.stop() }
        #expect(throws: BlockError.self) { try client.put([2], at: 0) }
        #expect(client.reconnections == 0)
    }
}
