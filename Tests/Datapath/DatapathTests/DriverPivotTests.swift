import BlockIO
import DatapathControl
import Glibc
import NBDTransport
import Synchronization
import TestSupport
import Testing

/// The disk is a storage driver's server, and moves away from it.
@Suite struct DriverPivotTests {
    /// The server of a disk dies while its pivot is prepared: that disk is on the server alone until then, so nobody is answered,
    /// least of all with an error, and the process ends, as it does at any other time.
    @Test func aServerThatIsLostWhileThePivotIsPreparedIsNobodysError() throws {
        let folder = try ScratchFolder("pivot")
        let source = NBDServer(exports: [NBDExport(name: "disk", device: MemoryDevice(size: 1 << 20))])
        try source.start(unixSocket: folder.file("source"))
        let device = SlowFlushes(size: 1 << 20)
        let target = NBDServer(exports: [NBDExport(name: "copy", device: device)])
        try target.start(unixSocket: folder.file("target"))
        let process = try DatapathProcess(
            folder, image: "nbd:unix:\(folder.file("source")):exportname=disk", format: ImageSpecification.nbd)
        let client = try process.connect()
        try client.writeZeroes(at: 0, length: 4096, mayUnmap: false)
        let destination = ImageSpecification(
            path: "nbd+unix:///copy?socket=\(folder.file("target"))", format: ImageSpecification.remote)
        _ = try process.control.callBlocking(
            .mirrorStart(destination: destination, bytesPerSecond: 0, settings: MirrorSettings(mode: "background")))
        _ = try process.awaitPhase(.synchronised)
        device.isHeld.store(true, ordering: .releasing)
        let pivot = WorkerThread("pivot") { [control = process.control] in
            _ = try? control.callBlocking(.pivotPrepare)
        }
        // From the preparation's beginning on writes go to both.
        while try process.status().mirror?.details?.isActive != true {}
        source.stop()
        let failure = #expect(throws: BlockError.self) {
            try client.writeZeroes(at: 4096, length: 4096, mayUnmap: false)
        }
        #expect(failure?.code == .disconnected, "an answer: \(failure?.description ?? "none")")
        #expect(process.end() == 70)
        device.isHeld.store(false, ordering: .releasing)
        pivot.join()
        target.stop()
    }

    /// Memory whose flushes can be kept waiting.
    private final class SlowFlushes: BlockDevice {
        private let base: MemoryDevice
        let isHeld = Atomic<Bool>(false)

        init(size: UInt64) { base = MemoryDevice(size: size) }

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
        func flush() throws(BlockError) { while isHeld.load(ordering: .acquiring) { usleep(1000) } }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            try base.appendExtents(to: &extents, at: offset, length: length)
        }
        func close() throws(BlockError) {}
    }
}
