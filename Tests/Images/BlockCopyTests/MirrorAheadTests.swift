import BlockIO
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// What is written ahead of a pivot's flush.
@Suite struct MirrorAheadTests {
    private static let size: UInt64 = 8 << 20

    private func mirror(_ source: any BlockDevice, _ destination: any BlockDevice) throws -> SwitchableDevice {
        let device = SwitchableDevice(source)
        try device.store([1, 2, 3], at: 65536)
        try device.startMirror(to: destination, bytesPerSecond: 0)
        while device.mirrorProgress?.phase == .copying {}
        #expect(device.mirrorProgress?.phase == .synchronised)
        return device
    }

    /// Until the guest makes as much dirty, or there is nothing to gain, or too often.
    @Test func passesGoOnWhileTheyBecomeMuchShorter() {
        func passes(_ took: [UInt64], most: Int = 8) -> [Bool] {
            var passes = AheadPasses(most: most)
            return took.map { passes.isEnough(after: $0) }
        }
        #expect(passes([2_000_000_000, 900_000_000, 600_000_000]) == [false, false, true])
        #expect(passes([2_000_000_000, AheadPasses.quick - 1]) == [false, true])
        #expect(passes([1 << 40, 1 << 38, 1 << 36], most: 3) == [false, false, true])
    }

    /// Both are written back before anything is flushed, and while nobody is told that the pivot is prepared.
    @Test func bothImagesAreWrittenBackAheadOfThePivotsFlush() throws {
        let source = Witness(Self.size)
        let destination = Witness(Self.size)
        let device = try mirror(source, destination)
        let phases = Mutex<[MirrorState.Phase?]>([])
        for witness in [source, destination] {
            witness.watch { phases.withLock { $0.append(device.mirrorProgress?.phase) } }
        }
        try device.preparePivot()
        #expect(source.events.first == "back" && source.events.last == "flush")
        #expect(destination.events.first == "back" && destination.events.last == "flush")
        #expect(phases.withLock { $0.allSatisfy { $0 == .synchronised } })
        try device.commitPivot()
    }

    /// What a destination loses while it is written back is lost, and the client does not notice.
    @Test func aDestinationThatLosesWhatIsWrittenBackIsLost() throws {
        let source = Witness(Self.size)
        let destination = Witness(Self.size)
        let device = try mirror(source, destination)
        destination.fail()
        let error = #expect(throws: BlockError.self) { try device.preparePivot() }
        #expect(error?.code == .io)
        #expect(device.mirrorProgress?.phase == .broken && device.mirrorProgress?.dirtyBytes == Self.size)
        try device.store([4], at: 0)
        try device.cancelMirror()
        #expect(try device.bytes(0, 1) == [4])
    }

    /// And what a source loses is told whoever watches its flushes; the mirror goes on.
    @Test func aSourceThatLosesWhatIsWrittenBackIsTold() throws {
        let source = Witness(Self.size)
        let device = try mirror(source, Witness(Self.size))
        let told = Mutex<[BlockError.Code]>([])
        device.watchFlushes { error in told.withLock { $0.append(error.code) } }
        source.fail()
        #expect(throws: BlockError.self) { try device.preparePivot() }
        #expect(told.withLock { $0 } == [.io])
        #expect(device.mirrorProgress?.phase == .synchronised)
        try device.cancelMirror()
    }

    /// Who cancels does not wait until all is written.
    @Test func aMirrorThatIsCancelledIsNotWrittenBackToItsEnd() throws {
        let destination = Witness(Self.size)
        let device = try mirror(Witness(Self.size), destination)
        destination.isEndless.store(true, ordering: .releasing)
        let pivot = WorkerThread("pivot") {
            let error = #expect(throws: BlockError.self) { try device.preparePivot() }
            #expect(error?.code == .cancelled)
        }
        while destination.events.isEmpty {}
        try device.cancelMirror()
        pivot.join()
        #expect(destination.events == ["back"])
    }

    /// One look at a source that is all data is enough for many pieces.
    @Test func aSourceIsNotAskedForEachPiece() throws {
        let source = Witness(32 << 20)
        var random = SeededRandom.printed()
        let bytes = random.bytes(1 << 20)
        for offset in stride(from: UInt64(0), to: 32 << 20, by: 1 << 20) { try source.store(bytes, at: offset) }
        let destination = Witness(32 << 20)
        let device = try mirror(source, destination)
        // The looks of the copier, of 4 MiB each, and those of the estimate; it has 128 pieces.
        #expect(source.looks.load(ordering: .relaxed) <= 2 * 8 + 16)
        #expect(try destination.bytes(31 << 20, 1 << 20) == bytes)
        try device.cancelMirror()
    }
}

/// Memory that tells of what is made durable, and may refuse it.
private final class Witness: BlockDevice {
    private let base: MemoryDevice
    private let seen = Mutex<[String]>([])
    private let failing = Atomic<Bool>(false)
    private let watcher = Mutex<(@Sendable () -> Void)?>(nil)
    /// There is always more to write back.
    let isEndless = Atomic<Bool>(false)
    /// Calls of `appendExtents`.
    let looks = Atomic<Int>(0)

    init(_ size: UInt64) { base = MemoryDevice(size: size) }

    var events: [String] { seen.withLock { $0 } }
    func watch(_ body: @escaping @Sendable () -> Void) { watcher.withLock { $0 = body } }
    func fail() { failing.store(true, ordering: .releasing) }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 4096 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { try base.discard(at: offset, length: length) }
    func flush() throws(BlockError) { seen.withLock { $0.append("flush") } }
    func writeBack(unless isOver: () -> Bool) throws(BlockError) {
        seen.withLock { $0.append("back") }
        watcher.withLock { $0 }?()
        if failing.load(ordering: .acquiring) { throw BlockError(.io, "injected: lost") }
        while isEndless.load(ordering: .acquiring), !isOver() {}
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        looks.add(1, ordering: .relaxed)
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try base.close() }
}
