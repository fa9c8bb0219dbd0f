import BlockIO
import CLinux
import Glibc
import NBDProtocol
import Synchronization
import TestSupport
import Testing

@testable import NBDTransport

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

    private func price(
        _ command: UInt16, _ length: UInt32, isAccepted: Bool = true, zeroesFast: Bool = true
    ) -> RequestPrice {
        let request = NBDRequest(command: command, handle: 1, length: length)
        return RequestPrice(request, isAccepted: isAccepted, zeroesFast: zeroesFast)
    }

    @Test func aRequestCostsWhatItMakesTheStorageDo() {
        let gib: UInt32 = 1 << 30
        #expect(price(NBDCommand.read, 4096) == RequestPrice(operations: 1, bytes: 4096, isRead: true))
        #expect(price(NBDCommand.write, 4096) == RequestPrice(operations: 1, bytes: 4096, isRead: false))
        // Nothing is no way around a limit of operations.
        for command in [NBDCommand.read, NBDCommand.write, NBDCommand.trim, NBDCommand.writeZeroes, NBDCommand.cache] {
            #expect(price(command, 0).operations == 1)
        }
        #expect(price(NBDCommand.cache, 3 * gib) == RequestPrice(operations: 1, bytes: 32 << 20, isRead: true))
        #expect(price(NBDCommand.writeZeroes, 3 * gib) == RequestPrice(operations: 48, bytes: 0, isRead: false))
        #expect(
            price(NBDCommand.writeZeroes, 3 * gib, zeroesFast: false)
                == RequestPrice(operations: 1, bytes: UInt64(3 * gib), isRead: false))
        #expect(price(NBDCommand.trim, .max) == RequestPrice(operations: 64, bytes: 0, isRead: false))
        #expect(price(NBDCommand.blockStatus, 512) == RequestPrice(operations: 1, bytes: 0, isRead: true))
        #expect(price(NBDCommand.blockStatus, .max).operations == 4)
        #expect(price(NBDCommand.flush, 0).isPaid && price(NBDCommand.disconnect, 0).isPaid)
        // What is not done is not paid for by the others.
        #expect(price(NBDCommand.read, .max, isAccepted: false) == RequestPrice(operations: 1, bytes: 0, isRead: true))
        #expect(price(99, .max, isAccepted: false) == RequestPrice(operations: 1, bytes: 0, isRead: true))
    }

    @Test func aPortionKeepsWhoComesNextForATenthOfASecond() {
        let second: UInt64 = 1_000_000_000
        var bucket = TokenBucket(perSecond: 1000, burst: 500, at: 0)
        #expect(bucket.portion(of: 10, at: 0) == 10 && bucket.portion(of: 0, at: 0) == 0)
        #expect(bucket.portion(of: 100_000, at: 0) == 500)
        #expect(bucket.take(500, at: 0) == 0)
        #expect(bucket.portion(of: 100_000, at: 0) == 100)
        #expect(bucket.take(100, at: 0) == second / 10)
        #expect(bucket.portion(of: 100_000, at: 0) == 100)
        var slow = TokenBucket(perSecond: 1, burst: 1, at: 0)
        #expect(slow.take(1, at: 0) == 0 && slow.portion(of: 5, at: 0) == 1)
    }

    /// One that will pay for days does not keep those of other connections for so long.
    @Test func aRequestOfAnySizeLetsOthersBetween() {
        var limits = DiskLimits()
        limits.bytes = RateLimit(perSecond: 1_000_000, burst: 1000)
        let throttle = DiskThrottle()
        throttle.set(limits)
        let isPaying = Atomic<Bool>(false)
        let hasPaid = Atomic<Bool>(false)
        let large = WorkerThread("large") {
            let price = RequestPrice(operations: 1, bytes: 1 << 40, isRead: false)
            throttle.pay(price, unless: { false }, beforeWaiting: { isPaying.store(true, ordering: .releasing) })
            hasPaid.store(true, ordering: .releasing)
        }
        while !isPaying.load(ordering: .acquiring) { usleep(500) }
        throttle.pay(RequestPrice(operations: 1, bytes: 512, isRead: true), unless: { false }, beforeWaiting: {})
        let isOver = hasPaid.load(ordering: .acquiring)
        #expect(!isOver)
        throttle.set(DiskLimits())
        large.join()
    }

    /// A request that is refused for its length would have taken months.
    @Test func whatIsRefusedIsNotPaidForByTheDisk() throws {
        var limits = DiskLimits()
        limits.bytes = RateLimit(perSecond: 1000, burst: 1000)
        let (server, _, folder) = try served(limits)
        defer { server.stop() }
        let peer = try RawPeer(folder.file("s"))
        #expect(peer.enter())
        for command in [NBDCommand.read, NBDCommand.cache, NBDCommand.writeZeroes] {
            #expect(peer.send(RawPeer.request(command, length: .max)))
            #expect(peer.receiveError() != 0)
        }
        #expect(try NBDClient.connect(unixSocket: folder.file("s")).bytes(at: 0, 100).count == 100)
    }
}
