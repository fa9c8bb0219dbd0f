import BlockIO
import CoreTypes
import DiskImages
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// What of a copy is not written, because the destination reads as zeroes there already.
@Suite struct MirrorSparseTests {
    private static let granule: UInt64 = 65536
    private static let page: UInt64 = 4096

    /// Bytes of its file system that a file takes.
    private func allocated(_ path: String) throws -> UInt64 {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw BlockError(call: "stat", errno: errno, path: path) }
        return UInt64(status.st_blocks) * 512
    }

    /// Two arrays, a byte at a time, would take seconds.
    private func areSame(_ one: [UInt8], _ other: [UInt8]) -> Bool { Data(one) == Data(other) }

    private func finish(_ device: SwitchableDevice, _ size: UInt64) throws {
        awaitPhase(device, .synchronised)
        #expect(try device.verifyMirror() == size)
        try prepare(device)
        try device.commitPivot()
    }

    /// A page of data in every granule, which a raw source has as holes or as zeroes, takes a page in the destination's file, beside what
    /// its format keeps of its own.
    @Test(arguments: [ImageFormat.raw, .qcow2, .vhd], [false, true])
    func aPageInEachGranuleTakesAPage(format: ImageFormat, areWritten: Bool) throws {
        let size: UInt64 = 8 << 20
        let folder = try ScratchFolder("sparse")
        let (a, b) = (folder.file("a"), folder.file("b"))
        let source = try DiskImage.create(path: a, format: .raw, size: size)
        let expected = (0..<size / Self.granule).flatMap { index in
            var bytes = [UInt8](repeating: 0, count: Int(Self.granule))
            let start = Int(index % 16 * Self.page)
            bytes.replaceSubrange(start..<start + 4096, with: [UInt8](repeating: UInt8(index % 255) + 1, count: 4096))
            return bytes
        }
        for index in 0..<size / Self.granule {
            let (start, page) = (Int(index * Self.granule), Int(index % 16 * Self.page))
            let part = areWritten ? start..<start + 65536 : start + page..<start + page + 4096
            try source.store(Array(expected[part]), at: UInt64(part.lowerBound))
        }
        try source.flush()
        let device = SwitchableDevice(source)
        let destination = try DiskImage.create(path: b, format: format, size: size)
        try device.startMirror(to: destination, options: MirrorOptions(), threads: 2)
        try finish(device, size)
        #expect(areSame(try device.bytes(0, Int(size)), expected))
        try device.close()
        let data = size / Self.granule * Self.page
        // Clusters and blocks are given away whole; what is not written of them takes no space. Tables do: those of qcow2 by
        // clusters, and a page of a VHD for the sectors of each block.
        let tables: UInt64 =
            switch format {
            case .qcow2: 8 * Self.granule
            case .vhd: (size >> 21) * Self.page + 4 * Self.page
            default: 0
            }
        let taken = try allocated(b)
        #expect(taken <= data + data / 50 + tables, "\(format): \(taken) of \(data)")
    }

    /// The same under clients that write, into an image that is full of something else, and into a new one.
    @Test(arguments: [ImageFormat.raw, .qcow2, .vhd], [false, true])
    func itIsRightUnderWriters(format: ImageFormat, isNew: Bool) throws {
        var random = SeededRandom.printed()
        let size: UInt64 = 2 << 20
        let folder = try ScratchFolder("sparse")
        let source = try DiskImage.create(path: folder.file("a"), format: .raw, size: size)
        let destination = try DiskImage.create(path: folder.file("b"), format: format, size: size)
        for place in stride(from: 0, to: size, by: Int(Self.granule)) {
            try source.store(random.bytes(4096), at: place + Self.page * UInt64.random(in: 0..<16, using: &random))
        }
        if !isNew { try destination.store([UInt8](repeating: 0xEE, count: Int(size)), at: 0) }
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.bytesPerSecond = 8 << 20
        options.mode = .background
        try device.startMirror(to: destination, options: options, threads: 2)
        var wasActive = false
        for _ in 0..<300 {
            usleep(300)
            let place = UInt64.random(in: 0..<size - 9000, using: &random)
            if Bool.random(using: &random) {
                try device.store(random.bytes(Int.random(in: 1...9000, using: &random)), at: place)
            } else {
                try device.writeZeroes(at: place, length: 9000, mayUnmap: true)
            }
            // What was copied is written to on both sides from here on, or falls back.
            wasActive.toggle()
            try device.changeMirror { $0.mode = wasActive ? .active : .background }
        }
        try device.changeMirror { $0 = MirrorOptions() }
        awaitPhase(device, .synchronised)
        let expected = try source.bytes(0, Int(size))
        #expect(areSame(try destination.bytes(0, Int(size)), expected))
        try finish(device, size)
        #expect(areSame(try device.bytes(0, Int(size)), expected))
        try device.close()
    }

    /// What is written to behind the copier is copied again by pages, also where a granule that was left to it is written to once more while
    /// others go to both sides.
    @Test func onlyPagesAreCopiedAgain() throws {
        let size: UInt64 = 4 << 20
        let source = MemoryDevice(size: size)
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let device = SwitchableDevice(source)
        try device.startMirror(to: MemoryDevice(size: size), options: MirrorOptions())
        awaitPhase(device, .synchronised)
        let before = try #require(device.mirrorProgress).copiedBytes
        #expect(before == size)
        try device.changeMirror { ($0.mode, $0.isPaused) = (.background, true) }
        // Three pages of one granule, two of which lie together, one that reaches into the next, and a whole granule.
        for place in [4096 * 3, 4096 * 4 + 100, 4096 * 9] as [UInt64] { try device.store([2], at: place) }
        try device.store([3, 4], at: 65536 * 4 - 1)
        try device.store([UInt8](repeating: 5, count: 65536), at: 65536 * 8)
        try device.changeMirror { $0.mode = .active }
        try device.store([6], at: 4096 * 12)
        try device.store([7], at: 65536 * 20)
        #expect(device.mirrorProgress?.dirtyBytes == 4 * 65536)
        try device.changeMirror { $0.isPaused = false }
        // Waits until nothing is dirty; the phase does not change before the copier has had a look.
        #expect(try device.verifyMirror() == size)
        awaitPhase(device, .synchronised)
        #expect(device.mirrorProgress?.copiedBytes == before + 4 * 4096 + 2 * 4096 + 65536)
        try device.cancelMirror()
    }

    /// Over a link each write costs a way there and back: pages of a granule go together, with what lies between them.
    @Test func overALinkPagesOfAGranuleGoTogether() throws {
        let size: UInt64 = 2 << 20
        let source = MemoryDevice(size: size)
        try source.store([UInt8](repeating: 1, count: Int(size)), at: 0)
        let destination = MortalDevice(MemoryDevice(size: size), writes: .max)
        let device = SwitchableDevice(source)
        try device.startMirror(to: destination, options: MirrorOptions()) { () throws(BlockError) in destination }
        awaitPhase(device, .synchronised)
        try device.changeMirror { ($0.mode, $0.isPaused) = (.background, true) }
        for page in stride(from: 1, to: 16, by: 2) as StrideTo<UInt64> {
            try device.store([2], at: 65536 * 3 + page * 4096)
        }
        try device.store([3], at: 65536 * 9 + 4096)
        let before = (destination.writes.load(ordering: .relaxed), destination.written.load(ordering: .relaxed))
        try device.changeMirror { ($0.mode, $0.isPaused) = (.active, false) }
        #expect(try device.verifyMirror() == size)
        #expect(destination.writes.load(ordering: .relaxed) == before.0 + 2)
        #expect(destination.written.load(ordering: .relaxed) == before.1 + 16 * 4096)
        #expect(areSame(try destination.base.bytes(0, Int(size)), try source.bytes(0, Int(size))))
        try device.cancelMirror()
    }

    /// What is being copied when all is lost does not become the same by that.
    @Test func nothingIsSettledThatWasLostMeanwhile() {
        let pieces = CopyPieces()
        #expect(pieces.add(0..<100) && pieces.add(200..<300))
        pieces.touch(210..<220)
        var seen: [Range<UInt64>?] = []
        pieces.finish(200..<300) { seen.append($0) }
        pieces.touchAll {}
        pieces.finish(0..<100) { seen.append($0) }
        #expect(seen == [210..<220, 0..<100])
        #expect(pieces.close())
    }

    /// What the first destination's map said holds for no other one: zeroes are written where something else may lie.
    @Test func anotherDestinationIsNotBlank() throws {
        let size: UInt64 = 4 << 20
        let source = MemoryDevice(size: size)
        // Zeroes that are stored, but for a few bytes. What the first one has no chance to be given is still to come.
        try source.store([UInt8](repeating: 0, count: Int(size)), at: 0)
        for place in [5, 1 << 20, 3 << 20] as [UInt64] { try source.store([1], at: place) }
        let first = MortalDevice(MemoryDevice(size: size), writes: 1)
        let second = MemoryDevice(size: size)
        try second.store([UInt8](repeating: 0xEE, count: Int(size)), at: 0)
        let device = SwitchableDevice(source)
        var options = MirrorOptions()
        options.retryFor = 3600 * 1_000_000_000
        try device.startMirror(to: first, options: options) { () throws(BlockError) in second }
        awaitPhase(device, .synchronised)
        #expect(device.mirrorProgress?.retries == 1 && first.zeroings.load(ordering: .relaxed) == 0)
        #expect(areSame(try second.bytes(0, Int(size)), try source.bytes(0, Int(size))))
        try device.cancelMirror()
    }

    /// What an earlier process, or a guest in its time, has changed there may come behind what the destination's map says: it counts for
    /// nothing in a mirror that goes on.
    @Test func whatAnotherProcessHasLeftIsNotBlank() throws {
        let size: UInt64 = 2 << 20
        let folder = try ScratchFolder("sparse")
        let path = folder.file("map")
        try MirrorLog(size: size, path: path, identity: "x").markSame(0, Self.granule, sourceIsWritten: true)
        let log = try #require(try MirrorLog.resume(path: path, size: size, identity: "x"))
        let source = MemoryDevice(size: size)
        // Zeroes that are stored, and such that are not.
        try source.store([UInt8](repeating: 0, count: Int(size / 2)), at: 0)
        let destination = MortalDevice(MemoryDevice(size: size), writes: .max, isEmptyByItsMap: true)
        let rest = Int(size - Self.granule)
        try destination.base.store([UInt8](repeating: 0xEE, count: rest), at: Self.granule)
        let device = SwitchableDevice(source)
        device.track(log)
        try device.startMirror(to: destination, options: MirrorOptions(), log: log)
        awaitPhase(device, .synchronised)
        #expect(device.mirrorProgress?.resumedBytes == Self.granule)
        #expect(areSame(try destination.base.bytes(0, Int(size)), try source.bytes(0, Int(size))))
        try device.cancelMirror()
    }

    /// The map of a new destination is asked for once, and nothing is written where neither image has data.
    @Test func emptyDisksCostNothing() throws {
        let size: UInt64 = 1 << 36
        let source = MemoryDevice(size: size)
        try source.store([1], at: size / 2)
        let destination = MortalDevice(MemoryDevice(size: size), writes: .max)
        let device = SwitchableDevice(source)
        try device.startMirror(to: destination, options: MirrorOptions())
        awaitPhase(device, .synchronised)
        #expect(
            destination.zeroings.load(ordering: .relaxed) == 0 && destination.written.load(ordering: .relaxed) <= 65536)
        #expect(try destination.base.bytes(size / 2, 1) == [1])
        try device.cancelMirror()
    }
}

/// Memory that is lost after so many writes.
private final class MortalDevice: BlockDevice {
    let base: MemoryDevice
    let zeroings = Atomic<Int>(0)
    let writes = Atomic<Int>(0)
    let written = Atomic<Int>(0)
    private let left: Atomic<Int>
    private let isEmptyByItsMap: Bool

    init(_ base: MemoryDevice, writes: Int, isEmptyByItsMap: Bool = false) {
        self.base = base
        self.isEmptyByItsMap = isEmptyByItsMap
        left = Atomic(writes)
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    /// Nothing is ever known to be kept.
    var hasVolatileMetadata: Bool { true }

    private func live() throws(BlockError) {
        if left.subtract(1, ordering: .relaxed).newValue < 0 { throw BlockError(.disconnected, "injected") }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try live()
        writes.add(1, ordering: .relaxed)
        written.add(data.count, ordering: .relaxed)
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try live()
        zeroings.add(1, ordering: .relaxed)
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        if isEmptyByItsMap { return extents.append(Extent(offset: offset, length: length, kind: .hole)) }
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) {}
}
