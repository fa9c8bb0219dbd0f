import BlockIO
import CoreTypes
import DiskImages
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// Copies of what cannot be read as a whole.
@Suite struct SalvageTests {
    /// Sectors of a disk that cannot be read, and a map that cannot be had where some of them are.
    private final class BadDisk: BlockDevice {
        let base: MemoryDevice
        let bad: Set<UInt64>
        let failure: BlockError
        let mapFails: Bool
        let tries = Atomic<Int>(0)

        init(_ base: MemoryDevice, bad: Set<UInt64>, failure: BlockError, mapFails: Bool) {
            (self.base, self.bad, self.failure, self.mapFails) = (base, bad, failure, mapFails)
        }

        var size: UInt64 { base.size }
        var isReadOnly: Bool { true }
        var preferredAlignment: UInt64 { 65536 }

        private func check(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
            if length > 0, (offset / 512...(offset + length - 1) / 512).contains(where: bad.contains) { throw failure }
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            tries.add(1, ordering: .relaxed)
            try check(offset, UInt64(buffer.count))
            try unsafe base.read(into: buffer, at: offset)
        }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            if mapFails {
                // What was found before the failure counts for nothing.
                extents.append(Extent(offset: offset, length: 512, kind: .hole))
                try check(offset, length)
                extents.removeLast()
            }
            try base.appendExtents(to: &extents, at: offset, length: length)
        }
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw failure }
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) { throw failure }
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw failure }
        func flush() throws(BlockError) {}
        func close() throws(BlockError) {}
    }

    private static let eio = BlockError(call: "read", errno: EIO)

    @Test("what cannot be read is lost, and not a sector more (case 6.7)", arguments: [false, true])
    func whatCannotBeReadIsLostAndNotASectorMore(_ mapFails: Bool) throws {
        var random = SeededRandom.printed("map fails: \(mapFails)")
        for round in 0..<6 {
            let size = Int.random(in: 1...6000, using: &random) * 512
            var content = [UInt8](repeating: 0, count: size)
            var bad: Set<UInt64> = []
            for _ in 0..<6 {
                let start = Int.random(in: 0..<size, using: &random)
                let data = random.bytes(min(size - start, Int.random(in: 1...400_000, using: &random)))
                content.replaceSubrange(start..<start + data.count, with: data)
            }
            let memory = MemoryDevice(content: content)
            // In the middle of what is stored, as a hole is not read.
            let stored = try memory.extents(at: 0, length: memory.size).filter { $0.kind == .data }
            for _ in 0..<round * 3 {
                guard let extent = stored.randomElement(using: &random) else { continue }
                let first = UInt64.random(in: extent.offset / 512..<extent.end / 512, using: &random)
                let last = min(extent.end / 512 - 1, first + UInt64.random(in: 0...40, using: &random))
                bad.formUnion(first...last)
            }
            var model = LostRanges()
            var expected = content
            for sector in bad {
                let start = Int(sector * 512)
                expected.replaceSubrange(start..<start + 512, with: repeatElement(0, count: 512))
                model.insert(sector * 512..<sector * 512 + 512)
            }
            for (isZero, threads) in [(true, 1), (false, 1), (true, 3)] {
                let failure = round % 2 == 0 ? Self.eio : BlockError(.corrupt, "injected")
                let disk = BadDisk(memory, bad: bad, failure: failure, mapFails: mapFails)
                let salvaged = try SalvagedDevice(disk)
                let target = MemoryDevice(content: [UInt8](repeating: isZero ? 0 : 5, count: size))
                var options = CopyEngine.Options()
                options.destinationIsZero = isZero
                options.threads = threads
                try CopyEngine.copy(from: salvaged, to: target, options: options)
                let isSame = try target.bytes(0, size) == expected
                #expect(isSame)
                #expect(salvaged.lost.ranges == model.ranges && !salvaged.lost.isCoarse)
                #expect(salvaged.lost.bytes == UInt64(bad.count) * 512)
                #expect(salvaged.firstError?.code == (bad.isEmpty ? nil : failure.code))
            }
        }
    }

    /// A medium's block costs a few tries, not one for each sector around it.
    @Test func aBadBlockCostsAFewTries() throws {
        let memory = MemoryDevice(content: [UInt8](repeating: 7, count: 4 << 20))
        let disk = BadDisk(memory, bad: Set(2000..<2008), failure: Self.eio, mapFails: false)
        let salvaged = try SalvagedDevice(disk)
        #expect(try salvaged.bytes(0, 4 << 20).filter { $0 == 0 }.count == 4096)
        #expect(salvaged.lost.ranges == [2000 * 512..<2008 * 512])
        // All of it, its pieces of 64 KiB, those of 4 KiB of one, and the sectors of one.
        #expect(disk.tries.load(ordering: .relaxed) == 1 + 64 + 16 + 8)
        try salvaged.checkLengths()
    }

    @Test func whatSaysNothingOfAPlaceEndsTheCopy() throws {
        let memory = MemoryDevice(content: [UInt8](repeating: 7, count: 1 << 20))
        for error in [
            BlockError(call: "read", errno: ENXIO), BlockError(call: "read", errno: ENODEV),
            BlockError(call: "read", errno: ENOMEM), BlockError(.disconnected, "gone"), BlockError(.denied, "no"),
        ] {
            let disk = BadDisk(memory, bad: [9], failure: error, mapFails: false)
            let salvaged = try SalvagedDevice(disk)
            let found = #expect(throws: BlockError.self) {
                try CopyEngine.copy(from: salvaged, to: MemoryDevice(size: 1 << 20))
            }
            #expect(found?.message == error.message && salvaged.lost.ranges.isEmpty)
        }
        // Each try of a failing disk may take seconds.
        let flag = CancellationFlag()
        flag.cancel()
        let disk = BadDisk(memory, bad: Set(0..<2048), failure: Self.eio, mapFails: true)
        let salvaged = try SalvagedDevice(disk, cancellation: flag)
        #expect(throws: BlockError.self) { _ = try salvaged.bytes(0, 1 << 20) }
        #expect(throws: BlockError.self) { _ = try salvaged.extents(at: 0, length: 1 << 20) }
        #expect(salvaged.lost.ranges.isEmpty)
    }

    /// What an image names behind the end of its file reads as zeroes, and nobody is told but here.
    @Test(arguments: [(ImageFormat.qcow2, 5 as UInt64), (ImageFormat.vhd, 7 as UInt64)])
    func whatLiesBehindTheEndOfAFileIsLost(_ format: ImageFormat, _ left: UInt64) throws {
        let folder = try ScratchFolder("salvage-end")
        let path = folder.file("image")
        let image = try DiskImage.create(path: path, format: format, size: 8 << 20)
        try image.store([UInt8](repeating: 7, count: 8 << 20), at: 0)
        try image.close()
        let file = try ImageFile(path: path, access: .readWrite, locking: false)
        try file.truncate(to: left << 20)
        file.close()
        let disk = try DiskImage.open(path: path, format: format, readOnly: true)
        let salvaged = try SalvagedDevice(disk)
        let target = MemoryDevice(size: 8 << 20)
        try CopyEngine.copy(from: salvaged, to: target)
        try disk.close()
        let lost = salvaged.lost
        // The tables lie before the data.
        #expect(lost.bytes > (8 - left) << 20 && lost.bytes < (9 - left) << 20, "\(lost)")
        var expected = [UInt8](repeating: 7, count: 8 << 20)
        for range in lost.ranges {
            let place = Int(range.lowerBound)..<Int(range.upperBound)
            expected.replaceSubrange(place, with: repeatElement(0, count: place.count))
        }
        let isSame = try target.bytes(0, 8 << 20) == expected
        #expect(isSame)
    }

    @Test func rangesAreKeptTogether() {
        var random = SeededRandom.printed()
        for _ in 0..<20 {
            var (ranges, model) = (LostRanges(), Set<UInt64>())
            for _ in 0..<60 {
                let start = UInt64.random(in: 0..<200, using: &random)
                let end = start + UInt64.random(in: 0..<12, using: &random)
                ranges.insert(start..<end)
                model.formUnion(start..<end)
            }
            #expect(ranges.ranges.flatMap { Array($0) } == model.sorted())
            let isApart = zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound }
            #expect(isApart && ranges.bytes == UInt64(model.count) && !ranges.isCoarse)
        }
        // Too many: what is lost stays lost, with something between.
        var many = LostRanges()
        for index in 0..<UInt64(LostRanges.most) + 5 { many.insert(index * 1024..<index * 1024 + 512) }
        #expect(many.isCoarse && many.ranges.count == LostRanges.most)
        #expect(many.ranges.last?.upperBound == UInt64(LostRanges.most + 4) * 1024 + 512)
        many.insert(0..<1)
        #expect(many.ranges.count == LostRanges.most)
    }
}
