import BlockIO
import CoreTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCopy

/// A new image on a parent, filled in any order.
@Suite struct DifferingDestinationTests {
    /// Shows a parent's content at first, and counts the bytes that are stored instead.
    private final class Child: BlockDevice {
        let memory: MemoryDevice
        let stored = Atomic<UInt64>(0)

        init(showing content: [UInt8]) { memory = MemoryDevice(content: content) }

        var size: UInt64 { memory.size }
        var isReadOnly: Bool { false }
        var preferredAlignment: UInt64 { 65536 }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
            try unsafe memory.read(into: buffer, at: offset)
        }
        func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
            stored.add(UInt64(data.count), ordering: .relaxed)
            try unsafe memory.write(data, at: offset)
        }
        func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
            stored.add(length, ordering: .relaxed)
            try memory.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
        func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
        func flush() throws(BlockError) {}
        func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
            try memory.appendExtents(to: &extents, at: offset, length: length)
        }
        func close() throws(BlockError) {}
    }

    private func content(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for _ in 0..<10 {
            let length = Int.random(in: 1...200_000, using: &random)
            let start = Int.random(in: 0...count - length, using: &random)
            bytes.replaceSubrange(start..<start + length, with: random.bytes(length))
        }
        return bytes
    }

    /// Whatever the parent shows, and in whatever order and pieces data and zeroes come, also one over another.
    @Test func aDiskOfPartsInAnyOrderIsWhatWasWritten() throws {
        var random = SeededRandom.printed("parts in any order")
        for _ in 0..<12 {
            let count = Int.random(in: 600...5000, using: &random) * 512
            let child = Child(showing: content(count, &random))
            let device = DifferingDestination(over: child)
            var model = [UInt8](repeating: 0, count: count)
            for _ in 0..<20 {
                let length = Int.random(in: 1...min(count, 1_500_000), using: &random)
                let start = Int.random(in: 0...count - length, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    try device.writeZeroes(at: UInt64(start), length: UInt64(length), mayUnmap: true)
                    model.replaceSubrange(start..<start + length, with: repeatElement(0, count: length))
                case 1:
                    // What is there, or was.
                    let bytes = try child.bytes(UInt64(start), length)
                    try device.store(bytes, at: UInt64(start))
                    model.replaceSubrange(start..<start + length, with: bytes)
                default:
                    let bytes = random.bytes(min(length, 90_000))
                    try device.store(bytes, at: UInt64(start))
                    model.replaceSubrange(start..<start + bytes.count, with: bytes)
                }
                let isEqual = try device.bytes(UInt64(start), length) == Array(model[start..<start + length])
                #expect(isEqual)
            }
            let isEqual = try device.bytes(0, count) == model
            #expect(isEqual)
            try device.finish()
            let isStored = try child.bytes(0, count) == model
            #expect(isStored)
        }
    }

    /// A byte costs a piece, wherever the parts that are the same come from and in whatever order.
    @Test func whatIsTheSameIsNotStored() throws {
        var random = SeededRandom.printed("same parts")
        let shown = content(4 << 20, &random)
        let child = Child(showing: shown)
        var disk = shown
        disk[3_000_000] ^= 1
        let device = DifferingDestination(over: child)
        // Whole pieces: a part of one would make the rest of it zeroes until that comes, too.
        for piece in (0..<64).shuffled(using: &random) {
            let bytes = Array(disk[piece << 16..<(piece + 1) << 16])
            if !bytes.allSatisfy({ $0 == 0 }) { try device.store(bytes, at: UInt64(piece) << 16) }
        }
        try device.finish()
        #expect(child.stored.load(ordering: .relaxed) == 65536)
        let isStored = try child.bytes(0, disk.count) == disk
        #expect(isStored)
    }

    /// What nothing was written to becomes zero where it shows something, and no further than asked.
    @Test func whatIsNotWrittenBecomesZero() throws {
        let child = Child(showing: [UInt8](repeating: 7, count: 1 << 20))
        let device = DifferingDestination(over: child)
        try device.store([1], at: 70_000)
        try device.finish(length: 300_032)
        var expected = [UInt8](repeating: 0, count: 300_032) + [UInt8](repeating: 7, count: (1 << 20) - 300_032)
        expected[70_000] = 1
        let isStored = try child.bytes(0, 1 << 20) == expected
        #expect(isStored)
        let cancelled = CancellationFlag()
        cancelled.cancel()
        #expect(throws: BlockError.self) { try device.finish(cancellation: cancelled) }
        #expect(throws: BlockError.self) { try device.store([1], at: 1 << 20) }
    }
}
