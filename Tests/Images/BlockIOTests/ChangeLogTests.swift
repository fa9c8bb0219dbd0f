import Foundation
import TestSupport
import Testing

@testable import BlockIO

/// The log of changed blocks as bytes and as a file, and the marks of a disk that is written.
@Suite struct ChangeLogTests {
    private static let first = "0a1b2c3d-0000-4000-8000-00000000000a"

    @Test func theLayoutIsTheOneThatOthersRead() throws {
        let folder = try ScratchFolder("log")
        let path = folder.file("a.cbtlog")
        // 9 blocks and a part.
        var log = ChangeLog(size: 9 * ChangeLog.block + 512, parent: DiskID(Self.first))
        log.merge([0b0000_0101, 0b1111_1110])
        try ChangeLogFile.create(path: path, log)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(bytes.count == 48 + 2 + 16)
        #expect(Array(bytes[0..<16]) == [0x0a, 0x1b, 0x2c, 0x3d, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0a])
        #expect(Array(bytes[16..<32]) == [UInt8](repeating: 0, count: 16))
        #expect(Array(bytes[32..<40]) == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[40..<48]) == [0, 2, 9, 0, 0, 0, 0, 0])
        // The disk has ten blocks: the bits behind them are nobody's.
        #expect(Array(bytes[48..<50]) == [0b0000_0101, 0b0000_0010])
        #expect(try ChangeLogFile.read(path: path) == log)
        #expect(try ChangeLogFile.readHeader(path: path).parent?.text == Self.first)
        #expect([0, 1, 2, 9].map { log.isChanged(block: $0) } == [true, false, true, true])
        let again = log
        #expect(throws: BlockError.self) { try ChangeLogFile.create(path: path, again) }
    }

    @Test func whatIsNoLogIsRefusedBeforeMemoryIsTaken() throws {
        let folder = try ScratchFolder("log")
        let path = folder.file("a.cbtlog")
        func code(_ bytes: [UInt8]) throws -> BlockError.Code? {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do throws(BlockError) {
                _ = try ChangeLogFile.read(path: path)
                return nil
            } catch { return error.code }
        }
        let good = ChangeLog.header(ChangeLog(size: 100 * ChangeLog.block)) + [UInt8](repeating: 0, count: 13)
        #expect(try code(good) == nil)
        #expect(try code([]) == .invalidImage)
        #expect(try code(Array(good.prefix(47))) == .invalidImage)
        #expect(try code(Array(good.dropLast())) == .invalidImage)
        var huge = good
        huge[47] = 0x7f
        #expect(try code(huge) == .limitExceeded)
        huge = good
        huge[45] = 0x20
        #expect(try code(huge) == .invalidImage)
        // Not through a link, and not into a folder.
        let link = folder.file("b.cbtlog")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        #expect(throws: BlockError.self) { try ChangeLogFile.read(path: link) }
        #expect(throws: BlockError.self) { try ChangeLogFile.read(path: folder.path) }
    }

    @Test func aLogThatWasOpenBeforeTheMachineWentDownHasEverythingMarked() throws {
        var log = ChangeLog(size: 10 * ChangeLog.block)
        log.merge([1])
        let present = DiskID(Self.first)
        log.isConsistent = false
        log.boot = present
        #expect(log.settled(in: present) == log)
        for other in [nil, DiskID("0a1b2c3d-0000-4000-8000-00000000000b")] {
            #expect(log.settled(in: other).bitmap == [0xff, 0b11])
        }
        log.boot = nil
        #expect(log.settled(in: nil).bitmap == [0xff, 0b11])
        log.isConsistent = true
        #expect(log.settled(in: nil) == log)
    }

    /// Random writes, ends that are no ends, growth and merges, against a set of blocks.
    @Test func theMarksAreThoseOfAModel() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("log")
        let path = folder.file("a.cbtlog")
        var size = ChangeLog.block * 70 + 512
        try ChangeLogFile.create(path: path, ChangeLog(size: size))
        var model: Set<UInt64> = []
        for round in 0..<30 {
            let disk = MemoryDevice(size: size)
            let device = TrackedDevice(disk, tracking: try ChangeTracking(path: path, size: size))
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let offset = UInt64.random(in: 0..<size / 512, using: &random) * 512
                let length = min(size - offset, UInt64.random(in: 1...300, using: &random) * 512)
                let isWrite = Bool.random(using: &random)
                if isWrite {
                    let bytes = [UInt8](repeating: 1, count: Int(length))
                    // SAFETY: the array lives for the call.
                    try unsafe bytes.withUnsafeBytes { try unsafe device.write($0, at: offset) }
                } else if Bool.random(using: &random) {
                    try device.discard(at: offset, length: length)
                } else {
                    try device.writeZeroes(at: offset, length: length, mayUnmap: true)
                }
                for block in offset / ChangeLog.block...(offset + length - 1) / ChangeLog.block { model.insert(block) }
                // In the file before the request is answered.
                #expect(try marked(path) == model, "round \(round)")
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                let other = folder.file("other.cbtlog")
                var log = ChangeLog(size: size)
                log.merge(random.bytes(log.bitmap.count))
                try ChangeLogFile.create(path: other, log)
                try device.tracking?.merge(logAt: other, parent: DiskID(Self.first))
                try FileManager.default.removeItem(atPath: other)
                model.formUnion((0..<ChangeLog.blocks(size)).filter { log.isChanged(block: $0) })
                #expect(try marked(path) == model, "round \(round)")
                #expect(try ChangeLogFile.readHeader(path: path).parent?.text == Self.first)
            }
            for block in 0..<ChangeLog.blocks(size) {
                #expect(device.tracking?.isChanged(block: block) == model.contains(block))
            }
            try expectExtents(of: device.tracking, model, size, &random)
            // Half of the times it is closed, otherwise it goes as if the process had been killed.
            if Bool.random(using: &random) {
                try device.close()
                #expect(try ChangeLogFile.readHeader(path: path).isConsistent)
            } else {
                device.tracking?.drop()
                #expect(try !ChangeLogFile.readHeader(path: path).isConsistent)
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                size += UInt64.random(in: 1...20, using: &random) * 32768
            }
            #expect(try marked(path) == model, "round \(round)")
        }
    }

    /// The extents of a range say the same as the bits; what lies behind the end has changed.
    private func expectExtents(
        of tracking: ChangeTracking?, _ model: Set<UInt64>, _ size: UInt64, _ random: inout SeededRandom
    ) throws {
        let start = UInt64.random(in: 0..<size, using: &random)
        let end = UInt64.random(in: start...size + 100_000, using: &random)
        var extents: [ChangedExtent] = []
        tracking?.appendChanges(to: &extents, at: start, length: end - start)
        var position = start
        for extent in extents {
            #expect(extent.offset == position && extent.length > 0)
            position = extent.end
            let isBehind = extent.offset >= size
            for block in extent.offset / ChangeLog.block...(extent.end - 1) / ChangeLog.block where !isBehind {
                #expect(model.contains(block) == extent.isChanged)
            }
            if isBehind { #expect(extent.isChanged) }
        }
        #expect(position == end)
    }

    private func marked(_ path: String) throws -> Set<UInt64> {
        let log = try ChangeLogFile.read(path: path)
        return Set((0..<UInt64(log.bitmap.count) * 8).filter { log.isChanged(block: $0) })
    }

    /// Both logs of a disk that moves are complete from the start of the move on.
    @Test func aMovesTwoLogsHaveTheSameMarks() throws {
        let folder = try ScratchFolder("log")
        let (one, two) = (folder.file("one.cbtlog"), folder.file("two.cbtlog"))
        let size = ChangeLog.block * 20
        try ChangeLogFile.create(path: one, ChangeLog(size: size, parent: DiskID(Self.first)))
        try ChangeLogFile.create(path: two, ChangeLog(size: size * 8))
        let source = TrackedDevice(MemoryDevice(size: size), tracking: try ChangeTracking(path: one, size: size))
        let target = TrackedDevice(MemoryDevice(size: size * 8), tracking: nil)
        try source.discard(at: 0, length: 512)
        try source.tracking?.follow(path: two, size: size * 8)
        // The copy itself is no change of the disk.
        try target.writeZeroes(at: 0, length: size, mayUnmap: true)
        try source.discard(at: 17 * ChangeLog.block, length: 512)
        #expect(try marked(one) == [0, 17])
        #expect(try marked(two) == [0, 17])
        #expect(try ChangeLogFile.readHeader(path: two).parent?.text == Self.first)
        source.handOver(to: target)
        target.tracking?.settle(stays: false)
        try source.close()
        try target.discard(at: 5 * ChangeLog.block, length: ChangeLog.block)
        try target.close()
        #expect(try marked(one) == [0, 17])
        #expect(try marked(two) == [0, 5, 17])
        #expect(try ChangeLogFile.readHeader(path: two).isConsistent)
    }

    /// One of a move's two logs cannot be written. Where it is that of the image that the disk ends on, nothing is tracked.
    @Test(arguments: [false, true], [false, true])
    func aMoveThatLosesALogTracksOnlyTheDisks(losesFollowed: Bool, stays: Bool) throws {
        let folder = try ScratchFolder("log")
        let (one, two) = (folder.file("one.cbtlog"), folder.file("two.cbtlog"))
        let size = ChangeLog.block * 20
        for path in [one, two] { try ChangeLogFile.create(path: path, ChangeLog(size: size)) }
        let tracking = try ChangeTracking(path: one, size: size)
        let device = TrackedDevice(MemoryDevice(size: size), tracking: tracking)
        try tracking.follow(path: two, size: size)
        tracking.drop(isFollowed: losesFollowed)
        try device.discard(at: 0, length: 512)
        #expect(FileManager.default.fileExists(atPath: losesFollowed ? one : two))
        #expect(!FileManager.default.fileExists(atPath: losesFollowed ? two : one))
        tracking.settle(stays: stays)
        #expect(tracking.isWritten == (losesFollowed == stays))
        try device.discard(at: 7 * ChangeLog.block, length: 512)
        #expect(try marked(losesFollowed ? one : two) == (losesFollowed == stays ? [0, 7] : [0]))
        try device.close()
    }

    @Test func aLogThatCannotBeWrittenGoesAndTheDiskStays() throws {
        let folder = try ScratchFolder("log")
        let path = folder.file("a.cbtlog")
        try ChangeLogFile.create(path: path, ChangeLog(size: ChangeLog.block * 20))
        let device = TrackedDevice(
            MemoryDevice(size: ChangeLog.block * 20),
            tracking: try ChangeTracking(path: path, size: ChangeLog.block * 20))
        try device.discard(at: 0, length: 512)
        device.tracking?.drop()
        // The files are closed: no mark can be written.
        try device.discard(at: ChangeLog.block, length: 512)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(device.tracking?.isWritten == false)
        try device.close()
    }
}
