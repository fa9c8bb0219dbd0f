import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import BlockCopy

@Suite struct DifferenceCopyTests {
    /// Random content with holes, stored zeroes and random runs.
    private func device(_ size: UInt64, like other: MemoryDevice? = nil, _ random: inout SeededRandom) throws
        -> MemoryDevice
    {
        let made = MemoryDevice(size: size)
        if let other {
            let count = min(size, other.size)
            try made.store(try other.bytes(0, Int(count)), at: 0)
        }
        for _ in 0..<6 {
            let count = Int.random(in: 1...200_000, using: &random)
            let bytes = Bool.random(using: &random) ? random.bytes(count) : [UInt8](repeating: 0, count: count)
            try made.store(bytes, at: UInt64.random(in: 0...size - UInt64(count), using: &random))
        }
        return made
    }

    /// Whatever source, base and destination hold: with the base's content before it is the source's after, and the rest of
    /// a larger destination stays.
    @Test func aDiskBecomesAnotherByTheDifferencesAlone() throws {
        var random = SeededRandom.printed("differences")
        for _ in 0..<12 {
            let size = UInt64.random(in: 400...1500, using: &random) * 512 + 200_704
            let base = try device(UInt64.random(in: 400...2500, using: &random) * 512 + 200_704, &random)
            let source = try device(size, like: base, &random)
            let destination = MemoryDevice(size: max(size, base.size) + 4096)
            let end = destination.size - 512
            try destination.store(try base.bytes(0, Int(base.size)), at: 0)
            try destination.store([UInt8](repeating: 9, count: 512), at: end)
            try DifferenceCopy.copy(from: source, base: base, to: destination)
            #expect(try destination.bytes(0, Int(size)) == source.bytes(0, Int(size)))
            #expect(try destination.bytes(end, 512) == [UInt8](repeating: 9, count: 512))
            // Without a base, whatever it held.
            let any = try device(size + 4096, &random)
            try DifferenceCopy.copy(from: source, base: nil, to: any)
            #expect(try any.bytes(0, Int(size)) == source.bytes(0, Int(size)))
        }
    }

    /// A disk of one sector of data in each `step` bytes.
    private final class Marks: HostMappedDevice {
        let size: UInt64
        private let step: UInt64
        private let count: UInt64
        var isReadOnly: Bool { true }
        var preferredAlignment: UInt64 { 512 }
        var hostFiles: [ImageFile] { [] }
        var knowsHoles: Bool { true }

        init(size: UInt64, step: UInt64, count: UInt64) { (self.size, self.step, self.count) = (size, step, count) }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            unsafe buffer.initializeMemory(as: UInt8.self, repeating: 1)
        }
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            var position = offset
            for _ in 0..<1000 where position < offset + length {
                let isData = position % step < 512 && position / step < count
                let hole = position / step < count ? position - position % step + step : size
                let end = min(isData ? position - position % step + 512 : hole, offset + length)
                extents.append(Extent(offset: position, length: end - position, kind: isData ? .data : .hole))
                position = end
            }
        }
        func appendHostExtents(
            to extents: inout [HostExtent], at offset: UInt64, length: UInt64
        ) throws(BlockError) {
            var plain: [Extent] = []
            try appendExtents(to: &plain, at: offset, length: length)
            extents += plain.map { HostExtent($0) }
        }
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {}
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {}
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
        func flush() throws(BlockError) {}
        func close() throws(BlockError) {}
    }

    /// Neither memory nor time follow the size that a disk claims; what counts is what differs, wherever it is.
    @Test func aDifferenceCostsWhatDiffers() throws {
        let exabytes: UInt64 = 1 << 61
        for (disk, base) in [
            (Marks(size: exabytes, step: 1 << 50, count: 3), Marks(size: 1 << 20, step: 1 << 20, count: 0)),
            (Marks(size: 64 << 40, step: 2 << 30, count: 20_000), Marks(size: 64 << 40, step: 1 << 20, count: 0)),
        ] {
            let difference = try DifferenceDevice(of: disk, from: base)
            var data: [Extent] = []
            var position: UInt64 = 0
            while position < disk.size {
                var extents: [Extent] = []
                try difference.appendExtents(to: &extents, at: position, length: disk.size - position)
                position = try #require(extents.last).end
                data += extents.filter { $0.kind == .data }
            }
            let isExact = data.allSatisfy { $0.length == 65536 }
            #expect(isExact && data.count == (disk.size == exabytes ? 3 : 20_000))
            #expect(data.count > 2 && data[1].offset == (disk.size == exabytes ? 1 << 50 : 2 << 30))
        }
    }

    @Test func whatIsTheSameIsNotWritten() throws {
        var random = SeededRandom.printed("same")
        let base = try device(1 << 20, &random)
        let source = MemoryDevice(size: 1 << 20)
        try source.store(try base.bytes(0, 1 << 20), at: 0)
        try source.store([1], at: 700_000)
        let destination = MemoryDevice(size: 1 << 20)
        try DifferenceCopy.copy(from: source, base: base, to: destination)
        let written = try destination.bytes(0, 1 << 20)
        let piece = 700_000 / 65536 * 65536
        let outside = (0..<1 << 20).filter { written[$0] != 0 && !(piece..<piece + 65536).contains($0) }
        // Pieces begin where runs of data do, so one may reach into the next.
        #expect(outside.allSatisfy { abs($0 - 700_000) < 65536 } && written[700_000] == 1)
        #expect(throws: BlockError.self) {
            try DifferenceCopy.copy(from: source, base: base, to: MemoryDevice(size: 512))
        }
    }
}
