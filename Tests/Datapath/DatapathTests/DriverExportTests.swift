import BlockIO
import Foundation
import NBDTransport
import Synchronization
import TestSupport
import Testing

@testable import Datapath

@Suite struct DriverExportTests {
    /// What the server answered and did not flush may go with it: this is said until a later flush has covered it. When the
    /// server is lost, whoever rests on it alone is told, and nobody else.
    @Test(arguments: [true, false])
    func aDriversServerThatIsLostIsNoticed(isTheDisk: Bool) throws {
        let folder = try ScratchFolder("export")
        let server = NBDServer(exports: [NBDExport(name: "e", device: MemoryDevice(size: 1 << 20))])
        try server.start(unixSocket: folder.file("s"))
        let client = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "e")
        let lost = Losses()
        let export = DriverExport(client, isTheDisk: isTheDisk) { lost.count.add(1, ordering: .relaxed) }
        #expect(!export.hasVolatileMetadata)
        try export.writeZeroes(at: 0, length: 4096, mayUnmap: false)
        #expect(export.hasVolatileMetadata)
        try export.flush()
        #expect(!export.hasVolatileMetadata)
        try export.discard(at: 0, length: 4096)
        #expect(export.hasVolatileMetadata)
        #expect(throws: BlockError.self) { try export.writeZeroes(at: 1 << 20, length: 4096, mayUnmap: false) }
        #expect(lost.count.load(ordering: .relaxed) == 0, "a refusal is no loss")
        server.stop()
        #expect(throws: BlockError.self) { try export.flush() }
        #expect(export.hasVolatileMetadata)
        #expect(lost.count.load(ordering: .relaxed) == (isTheDisk ? 1 : 0))
        try? export.close()
    }

    /// A server that ends in good order says so before it goes, to who still asks something of it.
    @Test func aServerThatSaysThatItEndsIsLost() throws {
        let folder = try ScratchFolder("export")
        let server = Process()
        server.executableURL = URL(fileURLWithPath: try Tool.find("nbdkit"))
        server.arguments = [
            "-f", "-U", folder.file("s"), "--filter=error", "memory", "1M", "error-pwrite=ESHUTDOWN",
            "error-pwrite-rate=100%",
        ]
        try server.run()
        defer {
            // It may have been started with other signals blocked.
            kill(server.processIdentifier, SIGKILL)
            server.waitUntilExit()
        }
        var connected: NBDClient?
        while connected == nil, server.isRunning { connected = try? NBDClient.connect(unixSocket: folder.file("s")) }
        let client = try #require(connected)
        let lost = Losses()
        let export = DriverExport(client, isTheDisk: true) { lost.count.add(1, ordering: .relaxed) }
        let bytes = AlignedBuffer(count: 512)
        try unsafe export.read(into: bytes.bytes, at: 0)
        #expect(lost.count.load(ordering: .relaxed) == 0)
        #expect(throws: BlockError.self) { try unsafe export.write(UnsafeRawBufferPointer(bytes.bytes), at: 0) }
        #expect(lost.count.load(ordering: .relaxed) == 1 && !client.isLost)
        try? export.close()
    }

    /// A storage driver's server may stand on anything: what its kernel says once is said from then on.
    @Test func aFlushThatTheServerRefusedIsNeverTakenBack() throws {
        let folder = try ScratchFolder("export")
        let device = RefusingDevice(MemoryDevice(size: 1 << 20))
        let server = NBDServer(exports: [NBDExport(name: "e", device: device)])
        try server.start(unixSocket: folder.file("s"))
        defer { server.stop() }
        let client = try NBDClient.connect(unixSocket: folder.file("s"), exportName: "e")
        let export = DriverExport(client, isTheDisk: true) { Issue.record("the server is there") }
        try export.writeZeroes(at: 0, length: 4096, mayUnmap: false)
        device.refusals.store(1, ordering: .relaxed)
        for _ in 0..<3 {
            let error = #expect(throws: BlockError.self) { try export.flush() }
            #expect(error?.code == .io)
        }
        #expect(device.flushes.load(ordering: .relaxed) == 1)
        // Neither does it close as if all were well; and what reads goes on.
        #expect(export.hasVolatileMetadata)
        #expect(throws: BlockError.self) { try export.close() }
    }

    /// Memory that refuses some flushes and then takes them.
    private final class RefusingDevice: BlockDevice {
        private let base: MemoryDevice
        let refusals = Atomic<Int>(0)
        let flushes = Atomic<Int>(0)

        init(_ base: MemoryDevice) { self.base = base }

        var size: UInt64 { base.size }
        var isReadOnly: Bool { false }
        var preferredAlignment: UInt64 { 512 }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            try unsafe base.read(into: buffer, at: offset)
        }
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
            try unsafe base.write(data, at: offset)
        }
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
            try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
        func flush() throws(BlockError) {
            flushes.add(1, ordering: .relaxed)
            if refusals.load(ordering: .relaxed) > 0 {
                refusals.subtract(1, ordering: .relaxed)
                throw BlockError(.io, "injected")
            }
        }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            try base.appendExtents(to: &extents, at: offset, length: length)
        }
        func close() throws(BlockError) {}
    }

    private final class Losses: Sendable {
        let count = Atomic<Int>(0)
    }
}
