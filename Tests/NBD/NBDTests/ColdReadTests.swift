import BlockIO
import NBDProtocol
import Testing

@testable import NBDTransport

/// Reads that come from storage.
struct ColdReadTests {
    @Test func aSlowBatchIsFollowedByAnnouncedOnes() {
        var gauge = ColdReadGauge()
        gauge.note(reads: 64, bytes: 64 << 12, others: 0, nanoseconds: 64 * 12_000)
        gauge.note(reads: 1, bytes: 4096, others: 0, nanoseconds: 90_000)
        #expect(!gauge.announces)
        gauge.note(reads: 64, bytes: 64 << 12, others: 0, nanoseconds: 64 * 40_000)
        #expect(gauge.announces)
    }

    /// What is announced is short, and yet from storage; only what memory could have answered ends it, after a while.
    @Test func announcingGoesOnWhileReadsWait() {
        var gauge = ColdReadGauge()
        gauge.note(reads: 2, bytes: 8192, others: 0, nanoseconds: 200_000)
        for _ in 0..<1000 { gauge.note(reads: 8, bytes: 8 << 12, others: 0, nanoseconds: 8 * 10_000) }
        #expect(gauge.announces)
        for _ in 0..<15 { gauge.note(reads: 8, bytes: 8 << 12, others: 0, nanoseconds: 8 * 3000) }
        #expect(gauge.announces)
        gauge.note(reads: 8, bytes: 8 << 12, others: 0, nanoseconds: 8 * 3000)
        #expect(!gauge.announces)
    }

    /// Writes beside them, and long reads, take their time in memory, too.
    @Test func otherRequestsAndManyBytesAreNoSignOfStorage() {
        var gauge = ColdReadGauge()
        gauge.note(reads: 8, bytes: 8 << 12, others: 8, nanoseconds: 8 * 50_000)
        gauge.note(reads: 2, bytes: 2 << 20, others: 0, nanoseconds: 900_000)
        #expect(!gauge.announces)
    }

    /// Some reads of many are answered while the rest is under way, and what the client asks for then is announced before the
    /// next of the rest is waited for.
    @Test func storageHearsOfReadsWhileOthersAreUnderWay() throws {
        let device = StorageReads(size: 1 << 20)
        let served = try Served(device)
        let peer = try RawPeer(served.path)
        #expect(peer.enter())
        func ask(_ places: Range<UInt64>) {
            #expect(peer.send(places.flatMap { RawPeer.request(NBDCommand.read, offset: $0 * 4096, length: 4096) }))
        }
        func take(_ count: Int) { #expect(peer.receive(count * (16 + 4096)) != nil) }
        device.slowness = 200_000
        device.permit(16)
        ask(0..<16)
        take(16)
        device.slowness = 20_000
        ask(100..<164)
        device.permit(8)
        take(8)
        ask(200..<208)
        device.permit(100)
        take(64)
        let told = try #require(device.place(of: .told(200 * 4096)))
        // The eight that were answered, and no more than eight that may have been waited for when it came.
        let after = try #require(device.place(of: .read(116 * 4096)))
        #expect(told < after)
        let first = try #require(device.place(of: .told(163 * 4096)))
        #expect(first < (device.place(of: .read(100 * 4096)) ?? 0))
        #expect((0..<16).allSatisfy { device.place(of: .told($0 * 4096)) == nil })
    }
}

/// Memory whose reads take their time, and none without a permit; it keeps what was asked of it in order.
private final class StorageReads: BlockDevice, @unchecked Sendable {
    // @unchecked: everything mutable is touched with `monitor` held.
    enum Event: Equatable {
        case told(UInt64)
        case read(UInt64)
    }

    private let memory: MemoryDevice
    private let monitor = Monitor()
    private var permits = 0
    private var events: [Event] = []
    private var time: UInt64 = 0

    init(size: UInt64) { memory = MemoryDevice(size: size) }

    var size: UInt64 { memory.size }
    var isReadOnly: Bool { true }
    var preferredAlignment: UInt64 { 4096 }

    /// Nanoseconds that a read takes at least.
    var slowness: UInt64 {
        get { monitor.locked { time } }
        set { monitor.locked { time = newValue } }
    }

    func permit(_ reads: Int) {
        monitor.locked { permits += reads }
        monitor.wakeAll()
    }

    func place(of event: Event) -> Int? { monitor.locked { events.firstIndex(of: event) } }

    func willRead(at offset: UInt64, length: UInt64) { monitor.locked { events.append(.told(offset)) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        monitor.lock()
        while permits == 0 { monitor.wait() }
        permits -= 1
        events.append(.read(offset))
        let time = time
        monitor.wait(nanoseconds: time)
        monitor.unlock()
        unsafe try memory.read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw BlockError(.readOnly, "only reads")
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try memory.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try memory.close() }
}
