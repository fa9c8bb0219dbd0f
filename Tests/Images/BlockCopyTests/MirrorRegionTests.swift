import BlockIO
import CoreTypes
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// What of a copy to an export is repeated when somebody is killed: what no flush has covered.
@Suite struct MirrorRegionTests {
    private static let second: UInt64 = 1_000_000_000
    private static let mib: UInt64 = 1 << 20

    @Test func anImageOfOursIsFlushedByTime() {
        var pace = FlushPace(at: 0, isByBytes: false)
        #expect(!pace.isDue(at: 199_999_999, copied: 0) && pace.isDue(at: 200_000_000, copied: 32 * Self.mib))
        // Where there is much to flush the first comes later.
        #expect(
            !pace.isDue(at: Self.second / 2, copied: 33 * Self.mib)
                && pace.isDue(at: Self.second, copied: 33 * Self.mib))
        #expect(!pace.isDue(at: 100_000_000, copied: 1 << 40) && pace.dueBytes == .max)
        pace.flushed(from: Self.second, to: 2 * Self.second, copied: 0)
        #expect(!pace.isDue(at: 12 * Self.second - 1, copied: 1 << 40) && pace.isDue(at: 12 * Self.second, copied: 0))
    }

    @Test func anExportIsFlushedByBytesToo() {
        var pace = FlushPace(at: 0, isByBytes: true)
        #expect(pace.dueBytes == 32 * Self.mib && pace.rest(at: 0, copied: 31 * Self.mib) == nil)
        #expect(!pace.isDue(at: 0, copied: 31 * Self.mib) && pace.isDue(at: 0, copied: 32 * Self.mib))
        // It took a tenth of a second, in which as much was copied again: two tenths without.
        let (tenth, copied) = (Self.second / 10, 40 * Self.mib)
        pace.flushed(from: 5 * tenth, to: 6 * tenth, copied: copied)
        #expect(pace.dueBytes == 72 * Self.mib && !pace.isDue(at: 8 * tenth - 1, copied: 100 * Self.mib))
        #expect(pace.rest(at: 6 * tenth, copied: 72 * Self.mib) == 2 * tenth)
        #expect(pace.isDueByBytes(at: 8 * tenth, copied: 72 * Self.mib))
        // And by time where little is copied.
        #expect(!pace.isDue(at: 15 * tenth, copied: copied) && pace.isDue(at: 16 * tenth, copied: copied))
    }

    /// While an export is copied to in less than a second, in which nothing is flushed by time alone, the map is never behind by all of
    /// it: by a region and the pieces that are under way on a machine that has time, by a second region on one that has none for the
    /// keeper.
    @Test func theMapStaysWithinARegion() throws {
        for isLast in [false, false, true] {
            let (most, samples, flushes) = try copied()
            // A machine that has no time for it at all is asked again.
            if !isLast, most > 2 * FlushPace.region || flushes < 2 {
                print("asked again: \(most >> 20) MiB behind, \(flushes) flushes")
                continue
            }
            #expect(samples > 0 && most <= 2 * FlushPace.region, "\(most >> 20) MiB, \(samples) looks")
            #expect(flushes >= 2)
            return
        }
    }

    /// By how much the map was behind the copy at most, bytes; how often that was looked at; and the flushes.
    private func copied() throws -> (most: UInt64, samples: Int, flushes: Int) {
        let size = 192 * Self.mib
        let device = SwitchableDevice(FilledDevice(size: size))
        let export = CountingExport(size: size)
        let log = try MirrorLog(size: size)
        var options = MirrorOptions()
        options.retryFor = Self.second
        options.bytesPerSecond = 256 * Self.mib
        try device.startMirror(to: export, options: options, log: log, threads: 4) { () throws(BlockError) in export }
        var (most, samples): (UInt64, Int) = (0, 0)
        while let progress = device.mirrorProgress, progress.phase == .copying {
            // What was told as copied before the look at the map.
            let known = log.sameBytes
            if progress.copiedBytes > known { most = max(most, progress.copiedBytes - known) }
            samples += 1
            usleep(200)
        }
        let flushes = export.flushes.load(ordering: .relaxed)
        try device.cancelMirror()
        return (most, samples, flushes)
    }
}

/// Bytes that are all ones, and no memory for them.
private final class FilledDevice: BlockDevice {
    let size: UInt64
    init(size: UInt64) { self.size = size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        // SAFETY: the caller's buffer.
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 1)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {}
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {}
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        extents.append(Extent(offset: offset, length: length, kind: .data))
    }
    func close() throws(BlockError) {}
}

/// An export that forgets what it is given, and takes two milliseconds for a flush.
private final class CountingExport: BlockDevice {
    let size: UInt64
    let flushes = Atomic<Int>(0)
    private let ledger = FlushLedger()
    init(size: UInt64) { self.size = size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    var hasVolatileMetadata: Bool { ledger.isVolatile }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {}
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        ledger.begin()
        ledger.end()
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {}
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {
        try ledger.flush { () throws(BlockError) in _ = usleep(2000) }
        flushes.add(1, ordering: .relaxed)
    }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        extents.append(Extent(offset: offset, length: length, kind: .data))
    }
    func close() throws(BlockError) {}
}
