import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import Glibc
import Synchronization
import TestSupport
import Testing

/// Mirrors whose destination, or whose own process, fails and comes back.
@Suite struct MirrorRecoveryTests {
    private static let size: UInt64 = 8 << 20

    private func filled(_ random: inout SeededRandom, _ device: any BlockDevice) throws {
        for granule in stride(from: 0, to: Self.size, by: 65536) where Bool.random(using: &random) {
            try device.store(random.bytes(65536), at: granule)
        }
    }

    private func write(
        _ count: Int, to device: SwitchableDevice, _ random: inout SeededRandom, below end: UInt64 = size
    ) throws {
        for _ in 0..<count {
            try device.store(random.bytes(3000), at: UInt64.random(in: 0..<end - 3000, using: &random))
        }
    }

    private func pivot(_ device: SwitchableDevice) throws {
        while true {
            do throws(BlockError) {
                return try device.preparePivot()
            } catch {
                if error.code != .busy { throw error }
            }
        }
    }

    /// The destination loses, with each failure, what it was not asked to flush. The client writes all the time and sees
    /// nothing of it; in the end the destination holds everything.
    @Test func aDestinationThatForgetsWhatWasNotFlushedIsFilledAgain() throws {
        var random = SeededRandom.printed()
        let source = MemoryDevice(size: Self.size)
        try filled(&random, source)
        let destination = ForgetfulDevice(MemoryDevice(size: Self.size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 3600 * 1_000_000_000
        try device.startMirror(to: destination, options: options, threads: 3) { () throws(BlockError) in
            destination.restart()
            return destination
        }
        for _ in 0..<3 {
            awaitPhase(device, .synchronised)
            try write(20, to: device, &random)
            destination.die()
            while device.mirrorProgress?.phase == .synchronised { try device.store(random.bytes(512), at: 0) }
            try write(20, to: device, &random)
        }
        awaitPhase(device, .synchronised)
        #expect(try #require(device.mirrorProgress?.retries) >= 3)
        #expect(try device.verifyMirror() == Self.size)
        try pivot(device)
        let expected = try source.bytes(0, Int(Self.size))
        try device.commitPivot()
        #expect(try device.bytes(0, Int(Self.size)) == expected)
    }

    @Test func aDestinationThatIsFullIsTriedAgainUntilTheLimit() throws {
        var random = SeededRandom.printed()
        let source = MemoryDevice(size: Self.size)
        try filled(&random, source)
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 200_000_000
        try device.startMirror(to: FailingDevice(MemoryDevice(size: Self.size), writes: 2), options: options)
        while true {
            let progress = try #require(device.mirrorProgress)
            guard progress.phase == .broken, !progress.isRetrying else { continue }
            #expect(progress.error?.code == .noSpace)
            break
        }
        try device.store([1], at: 5)
        try device.cancelMirror()
        #expect(try source.bytes(5, 1) == [1])
    }

    /// The time in which a mirror stands is not the destination's: after a pause it has all of its time again.
    @Test func aPauseIsNoTimeOfAnOutage() async throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([1, 2, 3], at: 0)
        let destination = ForgetfulDevice(MemoryDevice(size: Self.size))
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 300_000_000
        let isAway = Atomic<Bool>(true)
        try device.startMirror(to: destination, options: options) { () throws(BlockError) in
            if isAway.load(ordering: .acquiring) { throw BlockError(.disconnected, "away") }
            destination.restart()
            return destination
        }
        awaitPhase(device, .synchronised)
        destination.die()
        try device.store([4], at: 0)
        try await reach("a try that is in vain") { device.mirrorProgress?.retries ?? 0 > 0 }
        try device.changeMirror { $0.isPaused = true }
        try await Task.sleep(for: .milliseconds(500))
        isAway.store(false, ordering: .releasing)
        try device.changeMirror { $0.isPaused = false }
        awaitPhase(device, .synchronised)
        #expect(try device.verifyMirror() == Self.size)
        try device.cancelMirror()
    }

    /// As after kill -9: what the images had not written is gone, and what the map says is all that the next mirror goes by.
    /// Between the two, the disk is written to without a mirror.
    @Test(arguments: [ImageFormat.raw, .vhd, .qcow2])
    func anotherProcessGoesOnFromTheMap(format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("resume")
        let (a, b, map) = (folder.file("a"), folder.file("b"), folder.file("map"))
        let made = try DiskImage.create(path: a, format: .raw, size: Self.size)
        try filled(&random, made)
        try made.close()
        try DiskImage.create(path: b, format: format, size: Self.size).close()
        // A copy of the files as they were in the page cache at that moment is what a killed process leaves.
        let (a2, b2) = (folder.file("a2"), folder.file("b2"))
        let map2 = folder.file("map2")
        do {
            let device = SwitchableDevice(try DiskImage.open(path: a, format: .raw, readOnly: false))
            let log = try MirrorLog(size: Self.size, path: map, identity: "x")
            var options = MirrorOptions()
            options.bytesPerSecond = 64 << 20
            try device.startMirror(
                to: try DiskImage.open(path: b, format: format, readOnly: false), options: options, log: log)
            while try #require(device.mirrorProgress).copiedBytes < 2 << 20 || log.sameBytes == 0 {
                // What is written to all the time is never known to be the same.
                try write(1, to: device, &random, below: Self.size / 4)
            }
            // First the map: it promises no more than the files that are copied later hold.
            try Tool.check("cp", [map, map2])
            try Tool.check("cp", [a, a2])
            try Tool.check("cp", [b, b2])
            try device.close()
        }
        let log = try #require(try MirrorLog.resume(path: map2, size: Self.size, identity: "x"))
        let source = try DiskImage.open(path: a2, format: .raw, readOnly: false)
        let device = SwitchableDevice(source)
        device.track(log)
        try write(10, to: device, &random)
        let destination = try DiskImage.open(path: b2, format: format, readOnly: false)
        try device.startMirror(to: destination, options: MirrorOptions(), log: log)
        awaitPhase(device, .synchronised)
        #expect(try #require(device.mirrorProgress?.resumedBytes) > 0)
        #expect(try device.verifyMirror() == Self.size)
        try device.close()
    }

    /// In the background the client's writes are not delayed; a pivot makes the mirror active.
    @Test func aBackgroundMirrorEndsWhenThePivotIsAskedFor() throws {
        var random = SeededRandom.printed()
        let source = MemoryDevice(size: Self.size)
        try filled(&random, source)
        let device = SwitchableDevice(source, measuring: true)
        let destination = MemoryDevice(size: Self.size)
        var options = MirrorOptions()
        options.mode = .background
        options.isPaused = true
        try device.startMirror(to: destination, options: options)
        try device.store(random.bytes(4096), at: 0)
        #expect(device.mirrorProgress?.phase == .copying && device.mirrorProgress?.copiedBytes == 0)
        #expect(device.mirrorProgress?.isActive == false)
        try device.changeMirror { $0.isPaused = false }
        awaitPhase(device, .synchronised)
        try device.store(random.bytes(4096), at: 65536)
        #expect(device.mirrorProgress?.delayedWrites == 0)
        try pivot(device)
        try device.store(random.bytes(4096), at: 131072)
        let expected = try source.bytes(0, Int(Self.size))
        try device.commitPivot()
        #expect(try destination.bytes(0, Int(Self.size)) == expected)
        #expect(device.writeTimes?.take().count == 3)
    }

    @Test func sidesThatDifferAreFoundBeforeThePivot() throws {
        let source = MemoryDevice(size: Self.size)
        try source.store([1, 2, 3], at: 1 << 20)
        let destination = MemoryDevice(size: Self.size)
        let device = SwitchableDevice(source)
        #expect(throws: BlockError.self) { try device.verifyMirror() }
        try device.startMirror(to: destination, bytesPerSecond: 0)
        awaitPhase(device, .synchronised)
        try destination.store([9], at: 5 << 20)
        let error = #expect(throws: BlockError.self) { try device.verifyMirror() }
        #expect(error?.code == .corrupt)
        #expect(device.mirrorProgress?.phase == .broken)
        #expect(throws: BlockError.self) { try device.preparePivot() }
        try device.cancelMirror()
        #expect(try device.bytes(1 << 20, 3) == [1, 2, 3])
    }

    @Test func quantilesAreWithinAnEighth() {
        let times = LatencyHistogram()
        for value in 1...1000 { times.add(UInt64(value) * 10_000) }
        let all = times.take()
        #expect(all.count == 1000 && all.longest == 10_000_000)
        for part in [0.5, 0.9, 0.99] {
            let exact = part * 10_000_000
            #expect(abs(Double(all.quantile(part)) - exact) <= exact / 7, "\(part): \(all.quantile(part))")
        }
        #expect(times.take().count == 0)
    }
}

/// A device that can die like a server: calls fail, and what was not flushed is gone when it comes back.
final class ForgetfulDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: `unflushed` is touched with the mutex held.
    private let base: MemoryDevice
    private let isDead = Atomic<Bool>(false)
    private let begun = Atomic<Int>(0)
    private let covered = Atomic<Int>(0)
    private let unflushed = Mutex<[(UInt64, [UInt8])]>([])

    init(_ base: MemoryDevice) { self.base = base }

    func die() { isDead.store(true, ordering: .releasing) }

    func restart() {
        unflushed.withLock { writes in
            for (offset, old) in writes.reversed() { try? base.store(old, at: offset) }
            writes = []
        }
        isDead.store(false, ordering: .releasing)
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    var hasVolatileMetadata: Bool { begun.load(ordering: .acquiring) != covered.load(ordering: .acquiring) }

    private func living() throws(BlockError) {
        if isDead.load(ordering: .acquiring) { throw BlockError(.disconnected, "injected") }
    }

    private func change(_ offset: UInt64, _ length: Int, _ body: () throws(BlockError) -> Void) throws(BlockError) {
        begun.add(1, ordering: .acquiringAndReleasing)
        try unflushed.withLock { writes throws(BlockError) in
            try living()
            writes.append((offset, (try? base.bytes(offset, length)) ?? []))
            try body()
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try living()
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try change(offset, data.count) { () throws(BlockError) in try unsafe base.write(data, at: offset) }
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change(offset, Int(length)) { () throws(BlockError) in
            try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {
        let before = begun.load(ordering: .acquiring)
        try unflushed.withLock { writes throws(BlockError) in
            try living()
            writes = []
        }
        covered.store(before, ordering: .releasing)
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        extents.append(Extent(offset: offset, length: length, kind: .data))
    }
    func close() throws(BlockError) {}
}
