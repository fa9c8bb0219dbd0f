import BlockIO
import CoreTypes
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Comparisons of a mirror's images while its clients go on.
@Suite struct MirrorComparisonTests {
    private func mirror(
        _ source: any BlockDevice, _ destination: any BlockDevice, options: MirrorOptions = MirrorOptions()
    ) async throws -> SwitchableDevice {
        let device = SwitchableDevice(source)
        try device.startMirror(to: destination, options: options)
        try await reach("the mirror is in sync") { device.mirrorProgress?.phase == .synchronised }
        return device
    }

    /// Data is read on both sides, and nothing else: what is empty is not looked into.
    @Test func aComparisonTakesAsLongAsThereIsData() async throws {
        let (source, copy) = (MemoryDevice(size: 1 << 36), CountingReader(MemoryDevice(size: 1 << 36)))
        for place in [0, 1 << 30, (1 << 35) + 12_345, (1 << 36) - 3] as [UInt64] {
            try source.store([1, 2, 3], at: place)
        }
        let device = try await mirror(source, copy)
        #expect(device.mirrorProgress?.isCompared == false && device.mirrorProgress?.comparedBytes == nil)
        let before = copy.reads.load(ordering: .relaxed)
        #expect(try device.verifyMirror() == 1 << 36)
        #expect(copy.reads.load(ordering: .relaxed) - before <= 8)
        #expect(device.mirrorProgress?.isCompared == true)
        // What only the destination's map has is looked at, too.
        try copy.base.store([9], at: 1 << 34)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .corrupt && error?.offset == 1 << 34)
        #expect(device.mirrorProgress?.phase == .broken)
        try device.cancelMirror()
    }

    /// A hole of the source is not read, however near its data are, nor does the destination grow by it.
    @Test func holesBetweenDataAreNotRead() async throws {
        let (source, copy) = (CountingReader(MemoryDevice(size: 4 << 20)), MemoryDevice(size: 4 << 20))
        for place in stride(from: 0, to: 4 << 20 as UInt64, by: 128 << 10) {
            try source.base.store([UInt8](repeating: 1, count: 64 << 10), at: place)
        }
        let device = try await mirror(source, copy)
        #expect(source.bytesRead.load(ordering: .relaxed) == 2 << 20)
        for held in [source.base, copy] {
            let data = try held.extents(at: 0, length: 4 << 20).filter { $0.kind == .data }
            #expect(data.reduce(0) { $0 + $1.length } == 2 << 20)
        }
        #expect(try device.verifyMirror() == 4 << 20)
        try device.cancelMirror()
    }

    /// Whoever writes all the time, also where it is compared, neither keeps it from its end nor makes images differ.
    @Test func aComparisonEndsUnderAFlatOutWriter() async throws {
        let size: UInt64 = 4 << 20
        let source = MemoryDevice(size: size)
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let device = try await mirror(source, MemoryDevice(size: size))
        let isOver = Atomic<Bool>(false)
        let writes = Atomic<Int>(0)
        let writers = (0..<2).map { index in
            WorkerThread("writer-\(index)") {
                var random = SeededRandom(seed: UInt64(index))
                while !isOver.load(ordering: .relaxed) {
                    let bytes = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: 4096)
                    try? device.store(bytes, at: UInt64.random(in: 0..<size / 4096, using: &random) * 4096)
                    writes.add(1, ordering: .relaxed)
                }
            }
        }
        try await reach("writes") { writes.load(ordering: .relaxed) > 0 }
        let before = writes.load(ordering: .relaxed)
        var rounds = 0
        try await reach("comparisons with writes between them") {
            let alike = try device.verifyMirror()
            #expect(alike == size)
            rounds += 1
            return rounds >= 5 && writes.load(ordering: .relaxed) > before
        }
        isOver.store(true, ordering: .relaxed)
        for writer in writers { writer.join() }
        #expect(try device.verifyMirror() == size)
        try device.cancelMirror()
    }

    /// It stands while the mirror is paused; whoever ends the mirror does not wait for it.
    @Test(arguments: [false, true]) func aPausedMirrorIsNotCompared(isCancelled: Bool) async throws {
        let source = MemoryDevice(size: 1 << 20)
        try source.store([1], at: 0)
        let copy = CountingReader(MemoryDevice(size: 1 << 20))
        let device = try await mirror(source, copy)
        try device.changeMirror { $0.isPaused = true }
        let before = copy.reads.load(ordering: .relaxed)
        let outcome = Mutex<Result<UInt64, BlockError>?>(nil)
        let comparer = WorkerThread("comparer") {
            let result = Result { () throws(BlockError) in try device.verifyMirror() }
            outcome.withLock { $0 = result }
        }
        try await reach("a comparison") { device.mirrorProgress?.comparedBytes != nil }
        // Clients go on meanwhile.
        try device.store([2], at: 512)
        #expect(copy.reads.load(ordering: .relaxed) == before && outcome.withLock { $0 == nil })
        if isCancelled {
            try device.cancelMirror()
        } else {
            try device.changeMirror { $0.isPaused = false }
        }
        comparer.join()
        switch outcome.withLock({ $0 }) {
        case .success(let bytes): #expect(bytes == 1 << 20 && !isCancelled)
        case .failure(let error): #expect(error.code == .cancelled && isCancelled, "\(error)")
        case nil: Issue.record("no end")
        }
        if !isCancelled { try device.cancelMirror() }
    }

    /// A toolstack that comes back asks for the comparison that its predecessor had asked for: data are read once.
    @Test func whoAsksWhileItIsComparedHasThatAnswer() async throws {
        let source = MemoryDevice(size: 4 << 20)
        try source.store([UInt8](repeating: 1, count: 4 << 20), at: 0)
        let copy = CountingReader(MemoryDevice(size: 4 << 20))
        let device = try await mirror(source, copy)
        try device.changeMirror { $0.isPaused = true }
        let before = copy.bytesRead.load(ordering: .relaxed)
        let answered = Atomic<Int>(0)
        let askers = (0..<3).map { index in
            WorkerThread("asker-\(index)") {
                if let alike = try? device.verifyMirror(), alike == 4 << 20 { answered.add(1, ordering: .relaxed) }
            }
        }
        let one = try #require(device.mirror).comparison.one
        try await reach("two wait for the third") { one.waiting.load(ordering: .relaxed) == 2 }
        try device.changeMirror { $0.isPaused = false }
        for asker in askers { asker.join() }
        #expect(answered.load(ordering: .relaxed) == 3 && device.mirrorProgress?.isCompared == true)
        #expect(copy.bytesRead.load(ordering: .relaxed) - before == 4 << 20)
        // Whoever asks afterwards has all of it looked at again.
        #expect(try device.verifyMirror() == 4 << 20)
        #expect(copy.bytesRead.load(ordering: .relaxed) - before == 8 << 20)
        try device.cancelMirror()
    }

    /// A failure is everybody's who waited for it, and whoever asks next asks anew.
    @Test func aSharedAnswerMayBeAFailure() async throws {
        let one = OneComparison()
        let mayEnd = Atomic<Bool>(false)
        let outcomes = Mutex<[Result<UInt64, BlockError>]>([])
        let askers = (0..<3).map { index in
            WorkerThread("asker-\(index)") {
                let outcome = Result { () throws(BlockError) in
                    try one.run { () throws(BlockError) in
                        while !mayEnd.load(ordering: .acquiring) { sched_yield() }
                        throw BlockError(.busy, "not now")
                    }
                }
                outcomes.withLock { $0.append(outcome) }
            }
        }
        try await reach("two wait for the third") { one.waiting.load(ordering: .relaxed) == 2 }
        mayEnd.store(true, ordering: .releasing)
        for asker in askers { asker.join() }
        #expect(outcomes.withLock { $0.count } == 3)
        for outcome in outcomes.withLock({ $0 }) { #expect(throws: BlockError.self) { try outcome.get() } }
        #expect(try one.run { 7 } == 7)
    }

    /// Pieces of an export are read several at a time: all of them wait for one that comes back, and none takes it for lost.
    @Test func aLostDestinationIsWaitedForByAllWhoReadIt() async throws {
        let (size, source) = (UInt64(8 << 20), MemoryDevice(size: 8 << 20))
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let destination = ForgetfulDevice(MemoryDevice(size: size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 3600 * 1_000_000_000
        let reopen: @Sendable () throws(BlockError) -> any BlockDevice = { () throws(BlockError) in
            destination.restart()
            return destination
        }
        try device.startMirror(to: destination, options: options, reopen: reopen)
        for _ in 0..<2 {
            try await reach("the mirror is in sync") { device.mirrorProgress?.phase == .synchronised }
            try device.changeMirror { $0.isPaused = true }
            let outcome = Mutex<Result<UInt64, BlockError>?>(nil)
            let comparer = WorkerThread("comparer") {
                let result = Result { () throws(BlockError) in try device.verifyMirror() }
                outcome.withLock { $0 = result }
            }
            try await reach("a comparison") { device.mirrorProgress?.comparedBytes != nil }
            destination.die()
            try device.changeMirror { $0.isPaused = false }
            comparer.join()
            #expect(try outcome.withLock { $0 }?.get() == size)
        }
        #expect(device.mirrorProgress?.isCompared == true && device.mirrorProgress?.retries ?? 0 > 0)
        try device.cancelMirror()
    }

    /// What is copied again, because the source refused a write, was not compared.
    @Test func whatIsCopiedAgainIsComparedAgain() async throws {
        var trust = MirrorTrust()
        #expect(trust.compared(since: trust.generation, copies: trust.copies) && trust.isCompared)
        trust.copiesAgain()
        // Somebody wanted to be sure.
        #expect(!trust.isCompared && trust.mustBeCompared)
        #expect(trust.compared(since: trust.generation, copies: trust.copies) && trust.isCompared)
        #expect(!trust.mustBeCompared)
        // What was copied since the last look was not compared.
        let before = trust.copies
        trust.recovered(isElsewhere: false)
        #expect(!trust.isCompared && trust.mustBeCompared)
        trust.copiesAgain()
        #expect(trust.compared(since: trust.generation, copies: before) && !trust.isCompared && trust.mustBeCompared)
        #expect(trust.compared(since: trust.generation, copies: trust.copies) && trust.isCompared)
        #expect(!trust.mustBeCompared)
    }

    /// A map may stop early: what only the rest of either tells is looked at all the same.
    @Test(arguments: [false, true]) func whatAMapDoesNotTellAtOnceIsCompared(ofSource: Bool) async throws {
        let (source, copy) = (CountingReader(MemoryDevice(size: 8 << 20)), CountingReader(MemoryDevice(size: 8 << 20)))
        for place in [1, 4 << 20] as [UInt64] { try source.base.store([1], at: place) }
        (ofSource ? source : copy).tellsOne.store(true, ordering: .releasing)
        let device = try await mirror(source, copy)
        #expect(try device.verifyMirror() == 8 << 20)
        try (ofSource ? source : copy).base.store([9], at: 6 << 20)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .corrupt && error?.offset == 6 << 20)
        try device.cancelMirror()
    }

    /// The map that tells more is not asked for all of it again for each extent of the other.
    @Test(arguments: [false, true]) func eachExtentIsToldOnce(ofSource: Bool) async throws {
        let (source, copy) = (CountingReader(MemoryDevice(size: 8 << 20)), CountingReader(MemoryDevice(size: 8 << 20)))
        for place in stride(from: 0, to: 8 << 20 as UInt64, by: 128 << 10) { try source.base.store([1], at: place) }
        let device = try await mirror(source, copy)
        (ofSource ? source : copy).tellsOne.store(true, ordering: .releasing)
        let before = source.told.load(ordering: .relaxed) + copy.told.load(ordering: .relaxed)
        #expect(try device.verifyMirror() == 8 << 20)
        // 64 of data and as many holes, of each image.
        let told = source.told.load(ordering: .relaxed) + copy.told.load(ordering: .relaxed) - before
        #expect(told <= 4 * 128)
        try device.cancelMirror()
    }

    /// Whoever needs the gate for itself, and keeps all guests waiting until it has it, waits for one block and not for all
    /// of a piece that was just written over.
    @Test func theGateIsLetGoBetweenBlocks() async throws {
        let size = 256 << 10
        let (source, copy) = (MemoryDevice(size: UInt64(size)), CountingReader(MemoryDevice(size: UInt64(size))))
        try source.store([UInt8](repeating: 1, count: size), at: 0)
        let device = try await mirror(source, copy)
        let blocks = Atomic<Int>(0)
        let seen = Atomic<Int>(-1)
        let isWritten = Atomic<Bool>(false)
        let closer = Mutex<WorkerThread?>(nil)
        copy.onRead.withLock {
            $0 = { [device] count in
                if count > 4096 {
                    // Between the reads of both.
                    if isWritten.exchange(true, ordering: .acquiringAndReleasing) { return }
                    try? device.store([UInt8](repeating: 2, count: size), at: 0)
                    return
                }
                if blocks.add(1, ordering: .acquiringAndReleasing).newValue == 1 {
                    let thread = WorkerThread("closer") {
                        device.exclusively { seen.store(blocks.load(ordering: .acquiring), ordering: .releasing) }
                    }
                    closer.withLock { $0 = thread }
                }
                if seen.load(ordering: .acquiring) < 0 { usleep(50_000) }
            }
        }
        #expect(try device.verifyMirror() == UInt64(size))
        closer.withLock { $0 }?.join()
        copy.onRead.withLock { $0 = nil }
        #expect(blocks.load(ordering: .acquiring) == 64 && (1..<60).contains(seen.load(ordering: .acquiring)))
        try device.cancelMirror()
    }

    /// A mirror is waited for as long as it comes nearer to being in sync.
    @Test(arguments: [false, true]) func aMirrorThatCatchesUpIsWaitedFor(isLasting: Bool) {
        var patience = SyncPatience(isLasting: isLasting)
        func isOver(after times: UInt64, _ dirty: UInt64, isSilent: Bool = false, rate: UInt64 = 0) -> Bool {
            var isOver = false
            for _ in 0..<times {
                isOver = patience.isOver(dirtyBytes: dirty, isSilent: isSilent, bytesPerSecond: rate)
            }
            return isOver
        }
        for dirty in (1...20 as ClosedRange<UInt64>).reversed() { #expect(!isOver(after: 900, dirty << 16)) }
        // It has fallen behind again.
        #expect(!isOver(after: 99, 9 << 16))
        #expect(isOver(after: 900, 8 << 16) == !isLasting)
        #expect(isOver(after: 102, 8 << 16))
        // At a low rate each piece takes its time.
        #expect(!isOver(after: 1, 0) && !isOver(after: 3000, 0, rate: 100_000) && isOver(after: 3000, 0, rate: 100_000))
        // One that owes answers is waited for longer, and not without end.
        patience = SyncPatience(isLasting: isLasting)
        #expect(!isOver(after: 60_000, 0, isSilent: true) && isOver(after: 1, 0, isSilent: true))
    }

    /// Bytes per second hold for all threads together, a change of them at once, and time that was lost is not made up for.
    @Test func aComparisonKeepsToItsRate() {
        let (pace, second) = (ComparisonPace(), UInt64(1_000_000_000))
        var now = 5 * second
        pace.add(1 << 20, at: now)
        #expect(pace.wait(perSecond: 0, at: now) == 0)
        #expect(pace.wait(perSecond: 1 << 20, at: now) == second)
        #expect(pace.wait(perSecond: 1 << 20, at: now + second / 2) == second / 2)
        now += second
        #expect(pace.wait(perSecond: 1 << 20, at: now) == 0)
        for _ in 0..<4 { pace.add(1 << 18, at: now) }
        #expect(pace.wait(perSecond: 1 << 20, at: now) == second)
        #expect(pace.wait(perSecond: 4 << 20, at: now) == 0)
        now += 60 * second
        pace.add(8 << 20, at: now)
        #expect(pace.wait(perSecond: 4 << 20, at: now) == 2 * second)
        #expect(pace.wait(perSecond: 0, at: now) == 0)
    }

    /// Of a copy over a base what is not the base's is looked at; of another one all.
    @Test func whatACopyHasOfItsOwnIsCompared() throws {
        let (base, source) = (MemoryDevice(size: 1 << 20), MemoryDevice(size: 1 << 20))
        try base.store([UInt8](repeating: 7, count: 300_000), at: 0)
        try source.store([UInt8](repeating: 7, count: 300_000), at: 0)
        try source.store([UInt8](repeating: 0, count: 70_000), at: 10_000)
        try source.store([1, 2, 3], at: 900_000)
        // The copy's disk may be larger.
        let copy = MemoryDevice(size: 2 << 20)
        try copy.store([UInt8](repeating: 7, count: 300_000), at: 0)
        try DifferenceCopy.copy(from: source, base: base, to: copy)
        for below in [base, nil] {
            #expect(try CopyComparison.firstDifference(of: copy, from: source, base: below) == nil)
        }
        for (place, value) in [(79_999, 9), (900_001, 0)] as [(UInt64, UInt8)] {
            let right = try copy.bytes(at: place, count: 1)
            try copy.store([value], at: place)
            for below in [base, nil] {
                #expect(try CopyComparison.firstDifference(of: copy, from: source, base: below) == place)
            }
            try copy.store(right, at: place)
        }
    }
}

/// Counts how often it is read.
private final class CountingReader: BlockDevice {
    let base: MemoryDevice
    let reads = Atomic<Int>(0)
    let bytesRead = Atomic<Int>(0)
    /// Hears of each read, before it is done, and of its length.
    let onRead = Mutex<(@Sendable (Int) -> Void)?>(nil)
    /// Extents that it told.
    let told = Atomic<Int>(0)
    /// One extent, whatever is asked.
    let tellsOne = Atomic<Bool>(false)

    init(_ base: MemoryDevice) { self.base = base }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        reads.add(1, ordering: .relaxed)
        bytesRead.add(buffer.count, ordering: .relaxed)
        onRead.withLock { $0 }?(buffer.count)
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        var all: [Extent] = []
        try base.appendExtents(to: &all, at: offset, length: length)
        if tellsOne.load(ordering: .acquiring) { all = Array(all.prefix(1)) }
        told.add(all.count, ordering: .relaxed)
        extents += all
    }
    func close() throws(BlockError) {}
}
