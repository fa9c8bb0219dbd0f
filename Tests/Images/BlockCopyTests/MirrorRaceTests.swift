import BlockCopy
import BlockIO
import CoreTypes
import Glibc
import Synchronization
import TestSupport
import Testing

/// Moments of a mirror that only an unlucky order of threads, or a destination that says nothing, brings about.
@Suite struct MirrorRaceTests {
    private static let size: UInt64 = 64 << 10

    /// A thread looks at a piece that another one copies, and comes to claim it when it is clean already and a client writes
    /// to it: a second copy would put the old content over the client's.
    @Test func aPieceThatAnotherThreadHasSettledIsNotCopiedAgain() throws {
        let source = StagedSource(MemoryDevice(size: Self.size))
        try source.base.store([UInt8](repeating: 1, count: Int(Self.size)), at: 0)
        let destination = MemoryDevice(size: Self.size)
        let device = SwitchableDevice(source)
        source.betweenReadAndWrite = { try? device.store([2, 2, 2], at: 4096) }
        var options = MirrorOptions()
        options.isPaused = true
        options.mode = .active
        // Threads of a local mirror wait for the first one.
        try device.startMirror(to: destination, options: options, threads: 2) { () throws(BlockError) in destination }
        // The estimate, which also looks, is over.
        while device.mirrorProgress?.totalBytes != Self.size {}
        source.stage.store(StagedSource.holdFirstRead, ordering: .releasing)
        try device.changeMirror { $0.isPaused = false }
        while device.mirrorProgress?.dirtyBytes != 0 {}
        source.stage.store(StagedSource.goOn, ordering: .releasing)
        awaitPhase(device, .synchronised)
        try prepare(device)
        try device.commitPivot()
        #expect(source.reads.load(ordering: .relaxed) == 1)
        #expect(try destination.bytes(0, Int(Self.size)) == source.base.bytes(0, Int(Self.size)))
    }

    /// The copier waits for the destination, and a client's write does: both go on when the mirror is cancelled.
    @Test(arguments: [false, true])
    func aMirrorToASilentDestinationIsCancelled(inClient: Bool) throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([1], at: 0)
        let destination = SilentDevice(MemoryDevice(size: Self.size), isSilent: !inClient)
        let device = SwitchableDevice(source)
        try device.startMirror(to: destination, bytesPerSecond: 0)
        if inClient {
            awaitPhase(device, .synchronised)
            destination.fallSilent()
        }
        let writer = WorkerThread("writer") {
            if inClient { #expect(throws: Never.self) { try device.store([5], at: 7) } }
        }
        destination.awaitCaller()
        try device.cancelMirror()
        writer.join()
        #expect(device.mirrorProgress == nil)
        #expect(try device.bytes(7, 1) == [inClient ? 5 : 0])
    }

    /// To reach a destination again takes as long as its host likes; who ends the mirror does not wait for that, and what is
    /// opened then is nobody's.
    @Test func aMirrorIsCancelledWhileItsDestinationIsReachedAgain() throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([1], at: 0)
        let device = SwitchableDevice(source)
        let next = SilentDevice(MemoryDevice(size: Self.size), isSilent: false)
        let isReaching = Atomic<Bool>(false)
        let isCancelled = Atomic<Bool>(false)
        var options = MirrorOptions()
        options.retryFor = 3_600_000_000_000
        let reopen: @Sendable () throws(BlockError) -> any BlockDevice = { () throws(BlockError) in
            isReaching.store(true, ordering: .releasing)
            // Else it would be waited for by who waits for it.
            for _ in 0..<10_000 where !isCancelled.load(ordering: .acquiring) { usleep(1000) }
            let wasCancelled = isCancelled.load(ordering: .acquiring)
            #expect(wasCancelled, "the end waits")
            return next
        }
        let broken = FailingDevice(MemoryDevice(size: Self.size), writes: 0)
        try device.startMirror(to: broken, options: options, reopen: reopen)
        while !isReaching.load(ordering: .acquiring) {}
        try device.cancelMirror()
        isCancelled.store(true, ordering: .releasing)
        #expect(device.mirrorProgress == nil)
        while !next.isClosed.load(ordering: .acquiring) {}
    }

    /// A source that cannot flush leaves the pivot's first half; a write that it refuses then makes a granule dirty.
    @Test(arguments: [false, true]) func aPivotWhoseSourceFailedIsTriedAgain(aWriteFails: Bool) throws {
        let source = StagedSource(MemoryDevice(size: Self.size))
        let destination = MemoryDevice(size: Self.size)
        let device = SwitchableDevice(source)
        try device.startMirror(to: destination, bytesPerSecond: 0)
        awaitPhase(device, .synchronised)
        source.fails.store(true, ordering: .releasing)
        #expect(throws: BlockError.self) { try device.preparePivot() }
        if aWriteFails { #expect(throws: BlockError.self) { try device.store([3], at: 9) } }
        source.fails.store(false, ordering: .releasing)
        if !aWriteFails {
            // It has stopped between the two halves, and goes on there.
            try device.preparePivot()
            return try device.commitPivot()
        }
        // What the source has refused is copied first.
        let error = #expect(throws: BlockError.self) { try device.preparePivot() }
        #expect(error?.code == .busy)
        awaitPhase(device, .synchronised)
        try device.preparePivot()
        try device.store([4], at: 9)
        try device.commitPivot()
        #expect(try destination.bytes(8, 3) == [0, 4, 0])
    }

    /// To compare waits for what the client has made different in the background.
    @Test func aComparisonWaitsUntilTheMirrorIsInSync() throws {
        let device = SwitchableDevice(MemoryDevice(size: Self.size))
        var options = MirrorOptions()
        options.mode = .background
        options.isPaused = true
        try device.startMirror(to: MemoryDevice(size: Self.size), options: options)
        try device.store([1], at: 512)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .busy)
        try device.changeMirror { $0.isPaused = false }
        #expect(try device.verifyMirror() == Self.size)
        try device.cancelMirror()
    }

    /// The map of a mirror that nobody went on with does not end where the disk has grown.
    @Test func aMapIsDroppedWhenTheDiskHasGrown() throws {
        let folder = try ScratchFolder("map")
        let path = folder.file("map")
        let device = SwitchableDevice(MemoryDevice(size: Self.size))
        device.track(try MirrorLog(size: Self.size, path: path, identity: "x"))
        try device.pause()
        let grown = MemoryDevice(size: Self.size * 4096)
        try device.resume(on: grown)
        #expect(device.trackedLog == nil && MirrorLog.identity(at: path) == nil)
        try device.store([1], at: grown.size - 1)
        #expect(try grown.bytes(grown.size - 1, 1) == [1])
    }
}

/// A source whose copier is led through one order of events, and which fails when told to.
private final class StagedSource: BlockDevice, @unchecked Sendable {
    // @unchecked: `betweenReadAndWrite` is set before the first request.
    static let holdFirstRead = 1
    static let goOn = 2

    let base: MemoryDevice
    let stage = Atomic<Int>(0)
    let reads = Atomic<Int>(0)
    let fails = Atomic<Bool>(false)
    private let lookers = Atomic<Int>(0)
    var betweenReadAndWrite: () -> Void = {}

    init(_ base: MemoryDevice) { self.base = base }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }

    /// The first waits until another thread looks at what is being read; after a second, a client writes.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
        if stage.load(ordering: .acquiring) == 0 { return }
        let count = reads.add(1, ordering: .acquiringAndReleasing).newValue
        if count == 1 {
            while lookers.load(ordering: .acquiring) == 0 {}
        } else {
            betweenReadAndWrite()
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if fails.load(ordering: .acquiring) { throw BlockError(.io, "injected: no write") }
        try unsafe base.write(data, at: offset)
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { try base.discard(at: offset, length: length) }

    func flush() throws(BlockError) {
        if fails.load(ordering: .acquiring) { throw BlockError(.io, "injected: no flush") }
        try base.flush()
    }

    /// Who looks while the first read is under way waits for `goOn`.
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
        if reads.load(ordering: .acquiring) == 0 { return }
        lookers.add(1, ordering: .acquiringAndReleasing)
        while stage.load(ordering: .acquiring) != Self.goOn {}
    }

    func close() throws(BlockError) {}
}

/// A destination that answers no change any more until it is interrupted.
private final class SilentDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: the flags are touched with `monitor` held.
    private let base: MemoryDevice
    private let monitor = Monitor()
    private var isSilent: Bool
    private var isInterrupted = false
    private var callers = 0
    let isClosed = Atomic<Bool>(false)

    init(_ base: MemoryDevice, isSilent: Bool) {
        self.base = base
        self.isSilent = isSilent
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }

    func fallSilent() { monitor.locked { isSilent = true } }

    /// Until somebody waits for an answer.
    func awaitCaller() {
        monitor.locked {
            while callers == 0 { monitor.wait() }
        }
    }

    func interrupt() {
        monitor.locked {
            isInterrupted = true
            monitor.wakeAll()
        }
    }

    private func pass() throws(BlockError) {
        try monitor.locked { () throws(BlockError) in
            if !isSilent { return }
            callers += 1
            monitor.wakeAll()
            while !isInterrupted { monitor.wait() }
            throw BlockError(.disconnected, "interrupted")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try pass()
        try unsafe base.write(data, at: offset)
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try pass()
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { try base.discard(at: offset, length: length) }
    func flush() throws(BlockError) { try pass() }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }

    func close() throws(BlockError) { isClosed.store(true, ordering: .releasing) }
}
