import BlockIO
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Destinations without a peer that hang in the kernel: those who come later than that are answered by the source alone.
@Suite struct MirrorStallTests {
    @Test func aStallIsTimeWithoutAnEnd() {
        var watch = StallWatch()
        func look(_ begun: UInt64, _ ended: UInt64, at now: UInt64) -> Bool {
            watch.isStalled(begun: begun, ended: ended, at: now, patience: 100)
        }
        #expect(!look(0, 0, at: 0) && !look(0, 0, at: 1000))
        // It began at some time since the last look.
        #expect(!look(1, 0, at: 2000) && !look(2, 0, at: 2100) && look(3, 0, at: 2101) && look(9, 0, at: 9000))
        // One has ended.
        #expect(!look(9, 1, at: 9001) && !look(9, 1, at: 9101) && look(9, 1, at: 9102))
        #expect(
            !look(9, 9, at: 9103) && !look(9, 9, at: 20_000) && !look(10, 9, at: 20_001) && !look(10, 9, at: 20_101))
        #expect(look(10, 9, at: 20_102))
        // Counted while one ended.
        #expect(!look(10, 11, at: 30_000))
    }

    @Test func aDestinationThatHangsIsLeftToThoseWhoHangInIt() async throws {
        let size: UInt64 = 2 << 20
        let source = MemoryDevice(size: size)
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let destination = HangingDevice(MemoryDevice(size: size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.mode = .active
        // A tenth of a second.
        options.latencyBudget = 1
        try device.startMirror(to: destination, options: options)
        awaitPhase(device, .synchronised)
        destination.hangs.store(true, ordering: .releasing)
        let first = WorkerThread("first") { try? device.store([2], at: 0) }
        try await reach("the destination is left out") { device.mirrorProgress?.isSilent == true }
        #expect(destination.hanging.load(ordering: .acquiring) == 1)
        // Longer than the destination hangs for one request; a flush, too.
        for value in 3...50 as ClosedRange<UInt8> { try device.store([value], at: 1 << 20) }
        try device.writeZeroes(at: (1 << 20) + 100, length: 10, mayUnmap: true)
        try device.flush()
        #expect(try device.bytes(1 << 20, 1) == [50] && destination.base.bytes(1 << 20, 1) == [1])
        #expect(device.mirrorProgress?.isActive == false && device.mirrorProgress?.dirtyBytes == 65536)
        #expect(throws: BlockError.self) { try device.preparePivot() }
        // Who wants to end the mirror waits, and keeps nobody waiting.
        destination.hangs.store(false, ordering: .releasing)
        first.join()
        try await reach("the destination is used again") { device.mirrorProgress?.isSilent == false }
        awaitPhase(device, .synchronised)
        try device.store([7], at: 300)
        #expect(try destination.base.bytes(300, 1) == [7])
        #expect(try device.verifyMirror() == size)
        try prepare(device)
        let expected = try source.bytes(0, Int(size))
        try device.commitPivot()
        #expect(try device.bytes(0, Int(size)) == expected)
    }
}

/// Memory, writes to which may hang.
private final class HangingDevice: BlockDevice {
    let base: MemoryDevice
    let hangs = Atomic<Bool>(false)
    let hanging = Atomic<Int>(0)

    init(_ base: MemoryDevice) { self.base = base }

    private func pass() {
        if !hangs.load(ordering: .acquiring) { return }
        hanging.add(1, ordering: .acquiringAndReleasing)
        while hangs.load(ordering: .acquiring) { usleep(500) }
        hanging.subtract(1, ordering: .acquiringAndReleasing)
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        pass()
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        pass()
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
