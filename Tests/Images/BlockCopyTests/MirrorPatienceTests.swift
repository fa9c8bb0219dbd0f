import BlockIO
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Destinations that do not answer: guests are answered by the source alone, and nothing is lost or comes in the wrong order.
@Suite struct MirrorPatienceTests {
    private static let size: UInt64 = 2 << 20

    private func mirrored(
        _ source: MemoryDevice, _ destination: LateDevice
    ) throws -> SwitchableDevice {
        try source.store([UInt8](repeating: 1, count: Int(Self.size)), at: 0)
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.mode = .active
        options.retryFor = 3600 * 1_000_000_000
        // A tenth of a second.
        options.latencyBudget = 1
        try device.startMirror(to: destination, options: options) { () throws(BlockError) in
            destination.comeBack()
            return destination
        }
        awaitPhase(device, .synchronised)
        return device
    }

    @Test func theTimeFollowsTheBudgetWithinBounds() {
        var options = MirrorOptions()
        #expect(options.patience == 500_000_000)
        for (budget, patience) in [(1, 100), (10_000, 200), (1_000_000, 500), (UInt64.max / 1000, 500)]
            as [(UInt64, UInt64)]
        {
            options.latencyBudget = budget * 1000
            #expect(options.patience == patience * 1_000_000, "\(budget)")
        }
    }

    @Test func aSlowLinkGetsSmallPieces() {
        var length = PieceLength(most: 1 << 20, least: 65536)
        length.moved(1 << 20, in: 2_000_000_000)
        #expect(length.bytes == 512 << 10)
        // Those that were under way then are no longer news.
        length.moved(1 << 20, in: 2_000_000_000)
        #expect(length.bytes == 512 << 10)
        for _ in 0..<10 { length.moved(length.bytes, in: 500_000_000) }
        #expect(length.bytes == 65536)
        length.moved(65536, in: 50_000_000)
        #expect(length.bytes == 65536)
        // A short piece says nothing of long ones.
        length.moved(4096, in: 1_000_000)
        #expect(length.bytes == 65536)
        for _ in 0..<10 { length.moved(length.bytes, in: 10_000_000) }
        #expect(length.bytes == 1 << 20)
        // What is here has one length.
        var local = PieceLength(most: 256 << 10, least: 256 << 10)
        local.moved(4096, in: 2_000_000_000)
        #expect(local.bytes == 256 << 10)
    }

    /// One write is given up; those that follow are not even tried, also where they overlap it. When it comes late, over a
    /// place that was written again, the copier makes that good, and not before.
    @Test func aLateWriteIsFollowedByWhatWasWrittenAfterIt() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        try device.store([2], at: 0)
        #expect(try destination.base.bytes(0, 1) == [2])
        destination.isSilent.store(true, ordering: .releasing)
        try device.store([3, 3], at: 100)
        let log = try #require(device.mirrorProgress)
        #expect(log.lateWrites == 1 && !log.isActive && log.dirtyBytes == 65536)
        for value in 4...50 as ClosedRange<UInt8> { try device.store([value], at: 101) }
        try device.writeZeroes(at: 200, length: 10, mayUnmap: true)
        try device.store([60], at: 1 << 20)
        try device.flush()
        #expect(destination.asked == 1 && device.mirrorProgress?.lateWrites == 1)
        // The other granule is copied, this one cannot be: no pivot.
        destination.isSilent.store(false, ordering: .releasing)
        while device.mirrorProgress?.dirtyBytes != 65536 { usleep(500) }
        let error = #expect(throws: BlockError.self) { try device.preparePivot() }
        #expect(error?.code == .busy)
        #expect(try destination.base.bytes(100, 2) == [1, 1] && destination.base.bytes(1 << 20, 1) == [60])
        destination.answer()
        awaitPhase(device, .synchronised)
        #expect(try destination.base.bytes(100, 2) == [3, 50])
        try device.store([7], at: 300)
        #expect(try destination.base.bytes(300, 1) == [7])
        #expect(try device.verifyMirror() == Self.size)
        try prepare(device)
        // From here on the destination is part of the disk: it is waited for.
        destination.isSilent.store(true, ordering: .releasing)
        try device.store([8], at: 301)
        #expect(try destination.asked == 1 && destination.base.bytes(301, 1) == [8])
        let expected = try source.bytes(0, Int(Self.size))
        try device.commitPivot()
        #expect(try device.bytes(0, Int(Self.size)) == expected)
    }

    /// What was late ends with its connection, and only then another is made.
    @Test func aDestinationThatIsLostWithLateWritesIsFilledAgain() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        destination.isSilent.store(true, ordering: .releasing)
        try device.store([3, 3], at: 100)
        destination.isLost.store(true, ordering: .releasing)
        // Another part of it is copied, and finds out.
        try device.store([4], at: 1 << 20)
        while device.mirrorProgress?.retries == 0 { usleep(500) }
        awaitPhase(device, .synchronised)
        #expect(destination.interruptions > 0)
        #expect(try destination.base.bytes(100, 2) == [3, 3] && destination.base.bytes(1 << 20, 1) == [4])
        try prepare(device)
        try device.commitPivot()
    }

    /// One of several connections ends with a change on it, and the others go on: its server may live, and do it later.
    @Test func aLateWriteWhoseConnectionEndsIsNotForgotten() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        destination.isSilent.store(true, ordering: .releasing)
        try device.store([3], at: 100)
        destination.isSilent.store(false, ordering: .releasing)
        #expect(device.mirrorProgress?.retries == 0 && device.mirrorProgress?.mustBeCompared == false)
        destination.loseLate()
        while device.mirrorProgress?.dirtyBytes != 0 { usleep(500) }
        awaitPhase(device, .synchronised)
        #expect(device.mirrorProgress?.retries == 1 && device.mirrorProgress?.mustBeCompared == true)
        #expect(device.mirrorProgress?.isSilent == false)
        // The old server does it now.
        try destination.base.store([2], at: 100)
        let error = #expect(throws: BlockError.self) { try prepare(device) }
        #expect(error?.code == .corrupt && error?.offset == 100)
        try device.cancelMirror()
    }

    /// What was late is copied: that was not compared, and is before the destination is the disk, by itself.
    @Test func whatIsCopiedAfterALateWriteIsNotCompared() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        #expect(try device.verifyMirror() == Self.size && device.mirrorProgress?.isCompared == true)
        for _ in 0..<2 {
            try beLate(device, destination)
            #expect(device.mirrorProgress?.isCompared == false && device.mirrorProgress?.mustBeCompared == true)
            let before = destination.bytesRead.load(ordering: .acquiring)
            #expect(try device.verifyMirror() == Self.size && device.mirrorProgress?.isCompared == true)
            #expect(destination.bytesRead.load(ordering: .acquiring) - before == 65536)
        }
        // Nothing is missing: who asks now wants to see all of it again.
        let before = destination.bytesRead.load(ordering: .acquiring)
        #expect(try device.verifyMirror() == Self.size)
        #expect(destination.bytesRead.load(ordering: .acquiring) - before > 65536)
        try beLate(device, destination)
        try destination.base.store([9], at: 200)
        let error = #expect(throws: BlockError.self) { try prepare(device) }
        #expect(error?.code == .corrupt && error?.offset == 200)
        try device.cancelMirror()
    }

    /// A write near the beginning that comes late, and the copy behind it.
    private func beLate(_ device: SwitchableDevice, _ destination: LateDevice) throws {
        destination.isSilent.store(true, ordering: .releasing)
        try device.store([3], at: 100)
        destination.isSilent.store(false, ordering: .releasing)
        destination.answer()
        awaitPhase(device, .synchronised)
    }

    /// The same in a part that a comparison has passed: it looks there once more. Nor does it begin anew for that.
    @Test(arguments: [false, true]) func whatIsCopiedBehindAComparisonIsCompared(isSpoilt: Bool) throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        destination.heldFrom.store(3 * Self.size / 4, ordering: .releasing)
        destination.holdsReads.store(true, ordering: .releasing)
        let outcome = Mutex<Result<UInt64, BlockError>?>(nil)
        let comparison = WorkerThread("compare") {
            let result = Result { () throws(BlockError) in try device.verifyMirror() }
            outcome.withLock { $0 = result }
        }
        while device.mirrorProgress?.comparedBytes != 3 * Self.size / 4 || destination.readers < 2 { usleep(500) }
        try beLate(device, destination)
        if isSpoilt { try destination.base.store([9], at: 200) }
        let before = destination.bytesRead.load(ordering: .acquiring)
        destination.holdsReads.store(false, ordering: .releasing)
        comparison.join()
        switch outcome.withLock({ $0 }) {
        case .success(let bytes):
            #expect(!isSpoilt && bytes == Self.size && device.mirrorProgress?.isCompared == true)
            #expect(destination.bytesRead.load(ordering: .acquiring) - before == 65536)
        case .failure(let error): #expect(isSpoilt && error.code == .corrupt && error.offset == 200, "\(error)")
        case nil: Issue.record("no end")
        }
        try device.cancelMirror()
    }

    /// A flush of a destination that was replaced meanwhile fails: that is not the new one's failure.
    @Test func aFlushOfAnOldDestinationBreaksNothing() throws {
        let (old, new) = (ForgetfulDevice(MemoryDevice(size: Self.size)), MemoryDevice(size: Self.size))
        let mirror = MirrorDevice(
            source: MemoryDevice(size: Self.size), destination: old, log: try MirrorLog(size: Self.size))
        let generation = mirror.trust.withLock { $0.generation }
        old.die()
        mirror.handle(.destinationFailed)
        mirror.recover(on: new, isElsewhere: true)
        mirror.flushDestination(old, of: generation)
        #expect(mirror.phase == .copying)
        mirror.flushDestination(old, of: mirror.trust.withLock { $0.generation })
        #expect(mirror.phase == .broken)
    }

    /// Between the two drains of a pivot a guest's flush goes to both; where one does not answer this was no pivot.
    @Test func aGuestsFlushDoesNotWaitForAPivotsDestination() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        destination.holdFlush(after: 1)
        let outcome = Mutex<BlockError.Code?>(nil)
        let pivot = WorkerThread("pivot") {
            do throws(BlockError) {
                try device.preparePivot()
            } catch { outcome.withLock { $0 = error.code } }
        }
        while device.mirrorProgress?.phase != .joining { usleep(500) }
        try device.flush()
        destination.letFlushesGo()
        pivot.join()
        #expect(outcome.withLock { $0 } == .busy)
        try prepare(device)
        try device.commitPivot()
    }

    /// A comparison that waits for the destination holds no place that a guest may write to.
    @Test func aGuestDoesNotWaitForAComparison() throws {
        let source = MemoryDevice(size: Self.size)
        let destination = LateDevice(MemoryDevice(size: Self.size))
        let device = try mirrored(source, destination)
        destination.holdsReads.store(true, ordering: .releasing)
        let compared = Mutex<UInt64?>(nil)
        let comparison = WorkerThread("compare") { compared.withLock { $0 = try? device.verifyMirror() } }
        while destination.readers == 0 { usleep(500) }
        for value in 0..<100 as Range<UInt8> { try device.store([value], at: 9) }
        destination.holdsReads.store(false, ordering: .releasing)
        comparison.join()
        #expect(compared.withLock { $0 } == Self.size)
        try device.cancelMirror()
    }
}

/// Memory behind a peer that can fall silent: what it was asked then it does when it answers, in that order.
private final class LateDevice: BlockDevice {
    let base: MemoryDevice
    let isSilent = Atomic<Bool>(false)
    let isLost = Atomic<Bool>(false)
    let holdsReads = Atomic<Bool>(false)
    /// Which of them.
    let heldFrom = Atomic<UInt64>(0)
    let bytesRead = Atomic<Int>(0)
    private let reading = Atomic<Int>(0)
    private let count = Atomic<Int>(0)
    private let cuts = Atomic<Int>(0)
    private let freeFlushes = Atomic<Int>(.max)
    private let held = Mutex<[(offset: UInt64, bytes: [UInt8], late: LateChanges, ticket: LateRanges.Ticket)]>([])

    init(_ base: MemoryDevice) { self.base = base }

    /// Changes with patience that it has received since it was silent, in all.
    var asked: Int { count.load(ordering: .acquiring) }
    var interruptions: Int { cuts.load(ordering: .acquiring) }
    var readers: Int { reading.load(ordering: .acquiring) }

    func answer() {
        held.withLock { held in
            for change in held {
                try? base.store(change.bytes, at: change.offset)
                change.late.end(change.ticket)
            }
            held = []
        }
    }

    func interrupt() {
        cuts.add(1, ordering: .acquiringAndReleasing)
        loseLate()
    }

    func loseLate() {
        held.withLock { held in
            for change in held { change.late.lose(change.ticket) }
            held = []
        }
    }

    func comeBack() {
        isSilent.store(false, ordering: .releasing)
        isLost.store(false, ordering: .releasing)
    }

    func holdFlush(after free: Int) { freeFlushes.store(free, ordering: .releasing) }
    func letFlushesGo() { freeFlushes.store(.max, ordering: .releasing) }

    private func living() throws(BlockError) {
        if isLost.load(ordering: .acquiring) { throw BlockError(.disconnected, "injected") }
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        reading.add(1, ordering: .acquiringAndReleasing)
        defer { reading.subtract(1, ordering: .acquiringAndReleasing) }
        bytesRead.add(buffer.count, ordering: .acquiringAndReleasing)
        while holdsReads.load(ordering: .acquiring), offset >= heldFrom.load(ordering: .acquiring) { usleep(500) }
        try living()
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try living()
        try unsafe base.write(data, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience) throws(BlockError) {
        if !isSilent.load(ordering: .acquiring) { return try unsafe write(data, at: offset) }
        count.add(1, ordering: .acquiringAndReleasing)
        let ticket = patience.late.add(offset..<offset + UInt64(data.count))
        let bytes = unsafe [UInt8](data)
        held.withLock { $0.append((offset, bytes, patience.late, ticket)) }
        throw Patience.isOver(at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try living()
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {
        let number = freeFlushes.load(ordering: .acquiring)
        if number != .max, freeFlushes.subtract(1, ordering: .acquiringAndReleasing).newValue < 0 {
            while freeFlushes.load(ordering: .acquiring) != .max { usleep(500) }
        }
        try living()
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
