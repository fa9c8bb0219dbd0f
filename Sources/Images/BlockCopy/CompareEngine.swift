public import BlockIO
public import CoreTypes
import Glibc

/// Tells whether two devices hold the same bytes, reading only where one of them has data.
public enum CompareEngine {
    /// Bytes compared at a time: both buffers fit the processor's cache.
    private static let chunk: UInt64 = 256 << 10

    /// The byte offset of the first difference, nil when there is none. A longer device equals a shorter one when its
    /// rest reads as zeroes, as qemu-img compare has it.
    /// - Parameters:
    ///   - length: nil: all of both; else bytes from the beginning.
    ///   - pace: of what is read.
    public static func firstDifference(
        _ a: any BlockDevice, _ b: any BlockDevice, length: UInt64? = nil, pace: CopyPace? = nil,
        progress: ProgressCounter = ProgressCounter(), cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) -> UInt64? {
        var left = try Side(a)
        var right = try Side(b)
        let end = min(length ?? .max, max(a.size, b.size))
        progress.expect(end)
        var position: UInt64 = 0
        while position < end {
            if cancellation.isCancelled { throw .stopped }
            // Up to where both sides stay of one kind; what adjoins is read at once.
            let until = min(left.end, right.end, end)
            if !left.isData && !right.isData {
                progress.add(until - position)
                position = until
            } else {
                let count = min(until - position, chunk)
                pace?.pass(count)
                if let index = try difference(&left, &right, at: position, count: count) { return position + index }
                progress.add(count)
                position += count
            }
            try left.advance(to: position)
            try right.advance(to: position)
        }
        return nil
    }

    /// Calls `body` for every piece in which `a` differs from `b`, in order: its offset, its length, and what `a` holds there,
    /// nil for zeroes. Pieces are of at most 64 KiB, and not all bytes of one need differ. What lies behind the end of `b` is
    /// different, whatever it is; what lies behind the end of `a` is not looked at. Stands while `pace` does.
    /// - Parameter zeroesBehindAreSame: what is zero behind the end of `b` is no difference: holes there are passed over whole.
    static func eachDifference(
        of a: any BlockDevice, from b: any BlockDevice, zeroesBehindAreSame: Bool = false, pace: CopyPace? = nil,
        progress: ProgressCounter, cancellation: CancellationFlag,
        _ body: (UInt64, UInt64, UnsafeRawBufferPointer?) throws(BlockError) -> Void
    ) throws(BlockError) {
        var left = try Side(a)
        var right = try Side(b)
        progress.expect(a.size)
        var position: UInt64 = 0
        while position < a.size {
            pace?.pass(0)
            if cancellation.isCancelled { throw .stopped }
            var until = min(left.end, right.end, a.size)
            if position < b.size { until = min(until, b.size) }
            let isBehind = position >= b.size && !zeroesBehindAreSame
            if !left.isData && !right.isData && !isBehind {
                progress.add(until - position)
                position = until
            } else {
                let count = min(until - position, 64 << 10)
                if left.isData { try left.load(position, count) }
                if right.isData { try right.load(position, count) }
                // SAFETY: both buffers hold a chunk, which is more; a side without data is not looked at.
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: left.buffer.bytes[0..<Int(count)])
                let others = unsafe UnsafeRawBufferPointer(rebasing: right.buffer.bytes[0..<Int(count)])
                let isZeroHere = unsafe !left.isData || isZero(bytes)
                let isSame: Bool
                if isBehind {
                    isSame = false
                } else if isZeroHere {
                    isSame = unsafe !right.isData || isZero(others)
                } else if right.isData, let one = bytes.baseAddress, let other = others.baseAddress {
                    isSame = unsafe memcmp(one, other, bytes.count) == 0
                } else {
                    isSame = false
                }
                if !isSame { try unsafe body(position, count, isZeroHere ? nil : bytes) }
                progress.add(count)
                position += count
            }
            try left.advance(to: position)
            try right.advance(to: position)
        }
    }

    private static func difference(
        _ left: inout Side, _ right: inout Side, at position: UInt64, count: UInt64
    ) throws(BlockError) -> UInt64? {
        if left.isData { try left.load(position, count) }
        if right.isData { try right.load(position, count) }
        // SAFETY: both buffers hold a chunk and `count` is at most that; a side without data is not looked at.
        let a = unsafe UnsafeRawBufferPointer(rebasing: left.buffer.bytes[0..<Int(count)])
        let b = unsafe UnsafeRawBufferPointer(rebasing: right.buffer.bytes[0..<Int(count)])
        if left.isData && right.isData {
            guard let one = a.baseAddress, let other = b.baseAddress, unsafe memcmp(one, other, a.count) != 0
            else { return nil }
            return (0..<a.count).first { unsafe a[$0] != b[$0] }.map(UInt64.init)
        }
        let bytes = unsafe left.isData ? a : b
        if unsafe isZero(bytes) { return nil }
        return bytes.indices.first { unsafe bytes[$0] != 0 }.map(UInt64.init)
    }

    /// One device and the run of one kind that its comparison stands in.
    private struct Side {
        let device: any BlockDevice
        let buffer = AlignedBuffer(count: Int(CompareEngine.chunk))
        private var walk: HostExtentWalk
        private var next: HostExtent?
        private(set) var isData = false
        /// Where the present run ends; behind the device all is zero.
        private(set) var end: UInt64 = 0

        init(_ device: any BlockDevice) throws(BlockError) {
            self.device = device
            // Holes of a file are known at one moment, so a device in use is asked for its own map only.
            walk = HostExtentWalk(device, resolvingHoles: device.isReadOnly)
            next = try walk.next()
            try advance(to: 0)
        }

        /// Makes the run that holds `position` the present one.
        mutating func advance(to position: UInt64) throws(BlockError) {
            if position < end { return }
            guard let first = next else {
                isData = false
                end = .max
                return
            }
            isData = first.kind == .data
            end = first.end
            next = try walk.next()
            while let extent = next, (extent.kind == .data) == isData {
                end = extent.end
                next = try walk.next()
                if isData, end - position >= CompareEngine.chunk { break }
            }
        }

        func load(_ position: UInt64, _ count: UInt64) throws(BlockError) {
            // SAFETY: at most a chunk.
            try unsafe device.read(
                into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<Int(count)]), at: position)
        }
    }
}
