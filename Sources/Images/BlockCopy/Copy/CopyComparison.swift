public import BlockIO
public import CoreTypes
import Glibc

/// Compares what `DifferenceCopy` has made with what it was made of.
public enum CopyComparison {
    /// The first byte at which `copy` does not begin with what `source` holds; nil: it does. Of a copy that was made over what
    /// `base` holds the rest is looked at alone: what it has of its own `base` was compared with.
    ///
    /// Reads `source`, where there is a base that as well, and of `copy` what is not the base's. Nobody writes to any of them.
    /// `pace`: of what is read.
    public static func firstDifference(
        of copy: any BlockDevice, from source: any BlockDevice, base: (any BlockDevice)?, pace: CopyPace? = nil,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64? {
        guard let base else {
            return try CompareEngine.firstDifference(
                source, copy, length: source.size, pace: pace, progress: progress, cancellation: cancellation)
        }
        let buffer = AlignedBuffer(count: 64 << 10)
        var found: UInt64?
        do throws(BlockError) {
            // SAFETY: the bytes are used inside the call that hands them over; a piece is of 64 KiB at most.
            try unsafe CompareEngine.eachDifference(
                of: source, from: base, pace: pace, progress: progress, cancellation: cancellation
            ) { (offset, length, bytes) throws(BlockError) in
                pace?.pass(length)
                let held = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(length)])
                try unsafe copy.read(into: held, at: offset)
                guard let index = unsafe firstDifference(UnsafeRawBufferPointer(held), bytes) else { return }
                found = offset + UInt64(index)
                throw BlockError(.cancelled, "a difference is enough")
            }
        } catch {
            if found == nil { throw error }
        }
        return found
    }

    /// Of a piece; `wanted` nil: zeroes.
    private static func firstDifference(_ held: UnsafeRawBufferPointer, _ wanted: UnsafeRawBufferPointer?) -> Int? {
        guard let wanted = unsafe wanted else {
            return unsafe isZero(held) ? nil : held.indices.first { unsafe held[$0] != 0 }
        }
        guard let one = held.baseAddress, let other = wanted.baseAddress, unsafe memcmp(one, other, held.count) != 0
        else { return nil }
        return held.indices.first { unsafe held[$0] != wanted[$0] }
    }
}
