import BlockIO
import CLinux
import CoreTypes
import Glibc
import NBDProtocol
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// Large reads, whose bytes go from the page cache to the socket without a copy.
struct PageReadTests {
    /// A file as a device. `shortest`: no more than so many bytes at a time come as pages.
    final class FileDevice: BlockDevice {
        let file: ImageFile
        let size: UInt64
        private let shortest: Int
        private let failsReads = Atomic<Bool>(false)
        let pagesPut = Atomic<Int>(0)
        var isReadOnly: Bool { false }
        var preferredAlignment: UInt64 { 4096 }

        init(_ path: String, content: [UInt8], shortest: Int = .max) throws {
            file = try ImageFile(path: path, access: .create)
            try file.write(bytes: content, at: 0)
            size = UInt64(content.count).roundedUp(to: 512) ?? 0
            self.shortest = shortest
        }

        func failReads(_ fails: Bool) { failsReads.store(fails, ordering: .relaxed) }

        func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
            let count = file.putPages(at: offset, length: min(length, shortest), into: pipe)
            pagesPut.add(count, ordering: .relaxed)
            return count
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            if failsReads.load(ordering: .relaxed) { throw BlockError(.io, "made to fail") }
            unsafe try file.read(into: buffer, at: offset)
        }

        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
            unsafe try file.write(data, at: offset)
        }

        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
            try file.writeZeroes(at: offset, length: length)
        }

        func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
        func flush() throws(BlockError) { try file.sync() }

        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            extents.append(Extent(offset: offset, length: length, kind: .data))
        }

        func close() throws(BlockError) { file.close() }
    }

    /// Whether one more pipe of the server's kind can be had.
    private static var hasPipes: Bool {
        var ends: [Int32] = [-1, -1]
        // SAFETY: room for two descriptors.
        guard unsafe gantry_page_pipe(&ends, 1 << 20) == 0 else { return false }
        for end in ends { close(end) }
        return true
    }

    @Test func readsOfEveryLengthAndPlaceGiveTheFilesBytes() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pages")
        // The last sector is not whole, and there are holes and unaligned places.
        var content = random.bytes(5_000_100)
        let device = try FileDevice(folder.file("image"), content: content)
        content += [UInt8](repeating: 0, count: Int(device.size) - content.count)
        let served = try Served(device)
        let hadPipes = Self.hasPipes
        let client = try served.connect()
        for length in [65_535, 65_536, 65_537, 300_000, 1 << 20, (1 << 20) + 1, 3 << 20] {
            for offset in [0, 4096, 4097, content.count - length, Int.random(in: 0...1_000_000, using: &random)] {
                let bytes = try client.bytes(at: UInt64(offset), length)
                #expect(bytes == Array(content[offset..<offset + length]), "\(length) at \(offset)")
            }
        }
        // A user who has many pipes already gets none of this size (pipe-user-pages-soft): everything is copied then.
        if hadPipes, Self.hasPipes { #expect(device.pagesPut.load(ordering: .relaxed) > 5 << 20) }
        try client.close()
        try Tool.check("nbdcopy", [served.uri, folder.file("copy")])
        try Tool.check("cmp", ["-n", "5000100", folder.file("image"), folder.file("copy")])
        let empty = try FileDevice(folder.file("load"), content: [UInt8](repeating: 0, count: 8 << 20))
        let load = try Served(empty)
        try ModelRun.onThreads(4, [load.connect(), load.connect()], steps: 40, &random)
    }

    /// What of a read was not to be had as pages, and fails to be read, leaves nothing behind for the next.
    @Test func aReadThatFailsAfterSomePagesHarmsNoOther() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pages")
        let content = random.bytes(2 << 20)
        let device = try FileDevice(folder.file("image"), content: content, shortest: 8192)
        let served = try Served(device)
        let client = try served.connect()
        for _ in 0..<3 {
            device.failReads(true)
            #expect { try client.bytes(at: 4096, 1 << 20) } throws: { ($0 as? BlockError)?.code == .io }
            device.failReads(false)
            #expect(try client.bytes(at: 8192, 1 << 20) == Array(content[8192..<8192 + (1 << 20)]))
        }
        try client.close()
    }

    @Test func aClientThatLeavesInTheMiddleEndsItsOwnConnectionOnly() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pages")
        let content = random.bytes(2 << 20)
        let served = try Served(try FileDevice(folder.file("image"), content: content))
        let client = try served.connect()
        for _ in 0..<20 {
            let peer = try RawPeer(served.path)
            #expect(peer.enter())
            peer.send((0..<8).flatMap { RawPeer.request(0, handle: $0, length: 1 << 20) })
            // Its first reply has come, and more are on their way.
            #expect(peer.receive(100_000) != nil)
        }
        #expect(try client.bytes(at: 0, content.count) == content)
        try client.close()
        served.server.stop()
        #expect(served.server.connectionCount == 0)
    }
}
