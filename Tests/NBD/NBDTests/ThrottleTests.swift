import BlockIO
import CLinux
import Glibc
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Limits of a disk, over all of its connections.
struct ThrottleTests {
    private func served(_ limits: DiskLimits) throws -> (NBDServer, DiskThrottle, ScratchFolder) {
        let folder = try ScratchFolder("throttle")
        let throttle = DiskThrottle()
        throttle.set(limits)
        let server = NBDServer(exports: [
            NBDExport(name: "disk", device: MemoryDevice(size: 1 << 20), throttle: throttle)
        ])
        try server.start(unixSocket: folder.file("s"))
        return (server, throttle, folder)
    }

    /// Two clients together get what one disk may do; time can only be longer than that.
    @Test func requestsOfAllConnectionsTogetherKeepToTheRate() throws {
        var limits = DiskLimits()
        limits.readOperations = RateLimit(perSecond: 200, burst: 20)
        let (server, _, folder) = try served(limits)
        defer { server.stop() }
        let clients = try (0..<2).map { _ in try NBDClient.connect(unixSocket: folder.file("s")) }
        let start = gantry_now()
        let threads = clients.map { client in
            WorkerThread("reader") { for _ in 0..<40 { _ = try? client.bytes(at: 0, 512) } }
        }
        for thread in threads { thread.join() }
        // 80 reads, 20 of them at once: 60 at 200 a second.
        #expect(gantry_now() - start >= 299_000_000)
        // Writes and flushes have no limit here: this many would take minutes.
        for index in 0..<2000 { try clients[0].put([1], at: UInt64(index)) }
        for _ in 0..<100 { try clients[1].flush() }
        // A batch is counted after its answers have left: what is counted is known when the connections have ended.
        for client in clients { try client.close() }
        server.stop()
        #expect(server.requestCounts.reads == 80)
    }

    /// A request that would have to wait for a year goes on when the limit is lifted, and the server stops for all that.
    @Test func newLimitsAndTheEndFreeWhoWaits() throws {
        var limits = DiskLimits()
        limits.bytes = RateLimit(perSecond: 1, burst: 1)
        let (server, throttle, folder) = try served(limits)
        let client = try NBDClient.connect(unixSocket: folder.file("s"))
        let done = Atomic<Bool>(false)
        let lifter = WorkerThread("lifter") {
            while !done.load(ordering: .relaxed) {
                throttle.set(DiskLimits())
                usleep(1000)
            }
        }
        try client.put([UInt8](repeating: 3, count: 500_000), at: 0)
        done.store(true, ordering: .relaxed)
        lifter.join()
        #expect(try client.bytes(at: 499_999, 1) == [3])
        throttle.set(limits)
        let isWaiting = Atomic<Bool>(false)
        let waiting = WorkerThread("waiting") {
            isWaiting.store(true, ordering: .releasing)
            // It would take days: the end comes before the answer.
            #expect(throws: BlockError.self) { try client.bytes(at: 0, 500_000) }
        }
        while !isWaiting.load(ordering: .acquiring) { usleep(1000) }
        server.stop()
        waiting.join()
    }
}
