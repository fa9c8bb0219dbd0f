public import BlockIO
public import CoreTypes
import Glibc

/// Tells whether two devices hold the same bytes, reading only where one of them has data.
public enum CompareEngine {
    /// The byte offset of the first difference, nil when there is none. A longer device equals a shorter one when its
    /// rest reads as zeroes, as qemu-img compare has it.
    public static func firstDifference(
        _ a: any BlockDevice, _ b: any BlockDevice, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64? {
        let (short, long) = a.size <= b.size ? (a, b) : (b, a)
        progress.expect(long.size)
        let chunk: UInt64 = 1 << 20
        let left = AlignedBuffer(count: Int(chunk))
        let right = AlignedBuffer(count: Int(chunk))
        var position: UInt64 = 0
        while position < long.size {
            if cancellation.isCancelled { throw .stopped }
            let quiet = try emptyEnd(short, long, at: position)
            if quiet > position {
                progress.add(quiet - position)
                position = quiet
                continue
            }
            let count = min(chunk, long.size - position)
            try fill(left, from: long, at: position, count: count)
            try fill(right, from: short, at: position, count: count)
            // SAFETY: both buffers hold a chunk and `count` is at most that.
            if let index = unsafe firstDifference(left.bytes, right.bytes, count: Int(count)) {
                return position + UInt64(index)
            }
            progress.add(count)
            position += count
        }
        return nil
    }

    /// The end of the run at `position` in which neither device has data; `position` when one has.
    private static func emptyEnd(
        _ short: any BlockDevice, _ long: any BlockDevice, at position: UInt64
    ) throws(BlockError) -> UInt64 {
        var end = long.size
        for device in [short, long] where position < device.size {
            var extents: [Extent] = []
            try device.appendExtents(to: &extents, at: position, length: min(1 << 30, device.size - position))
            guard let first = extents.first, first.kind != .data else { return position }
            end = min(end, first.end)
        }
        return end
    }

    /// Reads `count` bytes; what lies past the device's end is zero.
    private static func fill(
        _ buffer: AlignedBuffer, from device: any BlockDevice, at position: UInt64, count: UInt64
    ) throws(BlockError) {
        let present = position >= device.size ? 0 : min(count, device.size - position)
        if present > 0 {
            try unsafe device.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(present)]), at: position)
        }
        if present < count {
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[Int(present)..<Int(count)])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    private static func firstDifference(
        _ a: UnsafeMutableRawBufferPointer, _ b: UnsafeMutableRawBufferPointer, count: Int
    ) -> Int? {
        guard let left = a.baseAddress, let right = b.baseAddress else { return nil }
        if unsafe memcmp(left, right, count) == 0 { return nil }
        return (0..<count).first { unsafe a[$0] != b[$0] }
    }
}
