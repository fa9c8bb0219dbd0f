import BlockCopy
import BlockIO
import Glibc
import Synchronization
import TestSupport
import Testing

/// Destinations that hold something else than what was written to them last: because a server behind a lost connection lives
/// and does what it had received, or because they were lost when nobody looked.
@Suite struct MirrorTrustTests {
    private static let size: UInt64 = 2 << 20

    @Test func whatWasReachedAgainMustBeComparedAsAWhole() {
        var trust = MirrorTrust()
        #expect(!trust.mustBeCompared)
        // A file of ours that failed has no other writer.
        trust.recovered(isElsewhere: false)
        #expect(!trust.mustBeCompared)
        trust.recovered(isElsewhere: true)
        #expect(trust.mustBeCompared)
        let begun = trust.generation
        trust.recovered(isElsewhere: true)
        let early = trust.compared(since: begun, copies: trust.copies)
        #expect(!early && trust.mustBeCompared)
        let whole = trust.compared(since: trust.generation, copies: trust.copies)
        #expect(whole && !trust.mustBeCompared)
        // Somebody wanted to be sure: that is over with any failure.
        trust.recovered(isElsewhere: false)
        #expect(trust.mustBeCompared)
        #expect(MirrorTrust(isDoubtful: true).mustBeCompared)
    }

    private func mirror(
        _ source: MemoryDevice, _ destination: any BlockDevice, trust: MirrorTrust = MirrorTrust(),
        reopen: (@Sendable () throws(BlockError) -> any BlockDevice)? = nil
    ) throws -> SwitchableDevice {
        try source.store([UInt8](repeating: 1, count: Int(Self.size)), at: 0)
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 3600 * 1_000_000_000
        try device.startMirror(to: destination, options: options, trust: trust, reopen: reopen)
        awaitPhase(device, .synchronised)
        return device
    }

    /// A write that an old server does after it was given up: the pivot finds it, although nobody has asked to compare.
    @Test func noPivotLeadsToADestinationThatALostServerHasWrittenTo() throws {
        let base = MemoryDevice(size: Self.size)
        let destination = ForgetfulDevice(base)
        let device = try mirror(MemoryDevice(size: Self.size), destination) { () throws(BlockError) in
            destination.restart()
            return destination
        }
        #expect(device.mirrorProgress?.mustBeCompared == false)
        destination.die()
        while device.mirrorProgress?.phase == .synchronised { try device.store([2], at: 9) }
        awaitPhase(device, .synchronised)
        #expect(device.mirrorProgress?.mustBeCompared == true)
        try base.store([7], at: 1 << 20)
        let error = #expect(throws: BlockError.self) { try prepare(device) }
        #expect(error?.code == .corrupt)
        #expect(device.mirrorProgress?.phase == .broken)
        try device.cancelMirror()
    }

    /// The same server was written to by a process that was killed.
    @Test(arguments: [false, true]) func aMirrorThatAnotherProcessBeganIsCompared(isChanged: Bool) throws {
        let destination = MemoryDevice(size: Self.size)
        let device = try mirror(MemoryDevice(size: Self.size), destination, trust: MirrorTrust(isDoubtful: true))
        #expect(device.mirrorProgress?.mustBeCompared == true)
        if isChanged {
            try destination.store([7], at: 1 << 20)
            let error = #expect(throws: BlockError.self) { try prepare(device) }
            #expect(error?.code == .corrupt)
            try device.cancelMirror()
        } else {
            try prepare(device)
            #expect(device.mirrorProgress?.mustBeCompared == false)
            try device.commitPivot()
        }
    }

    /// It is lost when half of it has been compared, and what was compared is different when it comes back.
    @Test func aComparisonBeginsAnewWhenTheDestinationWasLost() throws {
        let base = MemoryDevice(size: Self.size)
        let destination = LosingReader(base, at: Self.size / 2)
        let device = try mirror(MemoryDevice(size: Self.size), destination) { destination }
        destination.isArmed.store(true, ordering: .releasing)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .corrupt && error?.offset == 0)
        try device.cancelMirror()
    }

    /// Nobody has written since the pivot was prepared: only a look tells that the destination is gone.
    @Test func theLastLookFindsADestinationThatIsGone() throws {
        let destination = ForgetfulDevice(MemoryDevice(size: Self.size))
        let device = try mirror(MemoryDevice(size: Self.size), destination)
        try prepare(device)
        try device.preparePivot()
        #expect(device.mirrorProgress?.phase == .dual)
        destination.die()
        let error = #expect(throws: BlockError.self) { try device.preparePivot() }
        #expect(error?.code == .disconnected)
        #expect(device.mirrorProgress?.phase == .undecided && device.mirrorProgress?.failedSide == .destination)
        try device.cancelMirror()
        #expect(try device.bytes(0, 1) == [1])
    }

    /// The last look makes durable in both what was answered before it.
    @Test func theLastLookCoversWhatWasWrittenSince() throws {
        let base = MemoryDevice(size: Self.size)
        let destination = ForgetfulDevice(base)
        let device = try mirror(MemoryDevice(size: Self.size), destination)
        try prepare(device)
        try device.store([5, 6], at: 70_000)
        try device.preparePivot()
        destination.die()
        destination.restart()
        #expect(try base.bytes(70_000, 2) == [5, 6])
        try device.commitPivot()
        #expect(try device.bytes(70_000, 2) == [5, 6])
    }

    /// Images that differ after the pivot was prepared: what everything was copied from wins.
    @Test func aPreparedDestinationThatDiffersLoses() throws {
        let destination = MemoryDevice(size: Self.size)
        let device = try mirror(MemoryDevice(size: Self.size), destination)
        try prepare(device)
        try destination.store([9], at: 4096)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .corrupt)
        #expect(device.mirrorProgress?.failedSide == .destination)
        try device.cancelMirror()
    }
}

/// Memory whose connection is lost by a read at one place, once, and whose beginning is then something else.
private final class LosingReader: BlockDevice {
    private let base: MemoryDevice
    private let place: UInt64
    let isArmed = Atomic<Bool>(false)

    init(_ base: MemoryDevice, at place: UInt64) {
        self.base = base
        self.place = place
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        if offset >= place, isArmed.exchange(false, ordering: .acquiringAndReleasing) {
            try? base.store([7], at: 0)
            throw BlockError(.disconnected, "injected")
        }
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
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
