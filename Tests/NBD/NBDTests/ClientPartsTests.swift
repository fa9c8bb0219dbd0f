import BlockIO
import NBDProtocol
import Synchronization
import TestSupport
import Testing

@testable import NBDTransport

/// Writes of several parts: they are on their way together, and one that is refused costs nobody else anything.
struct ClientPartsTests {
    private static let parts = [0..<512, 4096..<8192, 65536..<65600]

    private func write(_ client: NBDClient, _ parts: [Range<Int>] = ClientPartsTests.parts) throws(BlockError) {
        let buffer = AlignedBuffer(count: 128 << 10)
        try unsafe client.write(parts: parts, of: UnsafeRawBufferPointer(buffer.bytes), at: 1 << 19)
    }

    @Test func partsGoTogether() throws {
        let waiting = Mutex<[NBDRequest]>([])
        let refuses = Atomic<Bool>(false)
        let server = try FakeServer { (request, send) in
            // Nothing is answered before all have come, and then the last first.
            let all = waiting.withLock { waiting in
                waiting.append(request)
                if waiting.count < Self.parts.count { return [] as [NBDRequest] }
                defer { waiting = [] }
                return waiting
            }
            for (index, request) in all.enumerated().reversed() {
                let part = Self.parts[index]
                let isRight =
                    request.command == NBDCommand.write && request.offset == 1 << 19 + UInt64(part.lowerBound)
                    && request.length == UInt32(part.count)
                let isRefused = !isRight || index == 1 && refuses.load(ordering: .acquiring)
                _ = send(FakeServer.simple(request.handle, error: isRefused ? NBDErrno.noSpace : 0))
            }
        }
        let client = try NBDClient.connect(unixSocket: server.path)
        try write(client)
        refuses.store(true, ordering: .releasing)
        // Oftener than there are places for requests.
        for _ in 0..<100 {
            let error = #expect(throws: BlockError.self) { try write(client) }
            #expect(error?.code == .noSpace)
        }
        refuses.store(false, ordering: .releasing)
        try write(client)
    }

    /// Many that write parts have all places between them, and wait for more: nobody waits with places in hand.
    @Test func whoWaitsForAPlaceKeepsNone() async throws {
        let waiting = Mutex<[NBDRequest]?>([])
        let server = try FakeServer { (request, send) in
            // Until all places are taken nothing is answered.
            let all = waiting.withLock { waiting -> [NBDRequest] in
                guard waiting != nil else { return [request] }
                waiting?.append(request)
                guard let all = waiting, all.count == ClientLink.slotCount else { return [] }
                waiting = nil
                return all
            }
            for request in all { _ = send(FakeServer.simple(request.handle)) }
        }
        let client = try NBDClient.connect(unixSocket: server.path)
        let done = Atomic<Int>(0)
        let writers = (0..<16).map { index in
            WorkerThread("writer-\(index)") {
                try? write(client, (0..<30).map { $0 * 4096..<$0 * 4096 + 512 })
                done.add(1, ordering: .acquiringAndReleasing)
            }
        }
        try await reach("all are answered", atMost: .seconds(60)) { done.load(ordering: .acquiring) == writers.count }
        try client.close()
    }

    /// More parts than go together; what lies between them stays.
    @Test func whatLiesBetweenPartsStays() throws {
        let (folder, device) = (try ScratchFolder("parts"), MemoryDevice(size: 1 << 20))
        try device.store([UInt8](repeating: 9, count: 1 << 20), at: 0)
        let server = NBDServer(exports: [NBDExport(name: "", device: device)])
        try server.start(unixSocket: folder.file("s"))
        defer { server.stop() }
        let client = try NBDClient.connect(unixSocket: folder.file("s"))
        let parts = (0..<30).map { $0 * 4096..<$0 * 4096 + 600 }
        try write(client, parts)
        for (index, part) in parts.enumerated() {
            let found = try device.bytes(at: (1 << 19) + UInt64(part.lowerBound), count: 4096)
            #expect(found == [UInt8](repeating: 0, count: 600) + [UInt8](repeating: 9, count: 3496), "\(index)")
        }
        try client.close()
    }

    /// A server that wants whole blocks gets whole blocks: what lies around a part is read first.
    @Test func partsOfBlocksAreRewrittenOneByOne() throws {
        let written = Mutex<[Range<UInt64>]>([])
        let server = try FakeServer(minimumBlock: 4096) { (request, send) in
            if request.command == NBDCommand.read {
                _ = send(FakeServer.data(request, at: request.offset, Int(request.length), isLast: true))
            } else {
                written.withLock { $0.append(request.offset..<request.offset + UInt64(request.length)) }
                _ = send(FakeServer.simple(request.handle))
            }
        }
        let client = try NBDClient.connect(unixSocket: server.path)
        try write(client)
        let blocks = [0, 4096, 65536].map { (1 << 19) + $0..<(1 << 19) + $0 + 4096 as Range<UInt64> }
        #expect(written.withLock { $0 } == blocks)
    }
}
