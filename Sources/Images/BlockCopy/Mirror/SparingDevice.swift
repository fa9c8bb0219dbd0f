public import BlockIO
import Glibc
import Synchronization

/// A destination that holds something already, such as what a snapshot of the source holds: only what would change it is
/// written, piece by piece, so that an image that shares with others goes on sharing. Reads what it is about to write; after
/// `stopSparing` it only passes on.
///
/// Whoever writes here holds the ranges that are written, as a mirror does: of two overlapping requests at once the one that
/// was compared first might not be written although the other is.
public final class SparingDevice: BlockDevice {
    /// Bytes that are compared as one. Images keep data in pieces as large at least.
    private static let piece = 4096
    private static let chunk = 1 << 20

    private let device: any BlockDevice
    private let isSparing = Atomic<Bool>(true)

    public init(_ device: any BlockDevice) { self.device = device }

    public func stopSparing() { isSparing.store(false, ordering: .releasing) }

    public var size: UInt64 { device.size }
    public var isReadOnly: Bool { device.isReadOnly }
    public var preferredAlignment: UInt64 { device.preferredAlignment }
    public var hasVolatileMetadata: Bool { device.hasVolatileMetadata }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.read(into: buffer, at: offset)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard isSparing.load(ordering: .acquiring) else { return try unsafe device.write(data, at: offset) }
        try checkRange(offset, UInt64(data.count))
        let buffer = AlignedBuffer(count: Self.chunk)
        var position = 0
        while position < data.count {
            let length = min(Self.chunk, data.count - position)
            // SAFETY: both parts lie inside their buffers; the second is this call's own.
            let wanted = unsafe UnsafeRawBufferPointer(rebasing: data[position..<position + length])
            let present = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<length])
            let at = offset + UInt64(position)
            try unsafe device.read(into: present, at: at)
            try unsafe writeDifferences(wanted, UnsafeRawBufferPointer(present), at: at)
            position += length
        }
    }

    /// Runs of pieces that differ, each in one write.
    private func writeDifferences(
        _ wanted: UnsafeRawBufferPointer, _ present: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        var start: Int?
        var position = 0
        while position <= wanted.count {
            let end = min(position + Self.piece, wanted.count)
            let differs = unsafe position < wanted.count && Self.differs(wanted, present, position..<end)
            if differs {
                if start == nil { start = position }
            } else if let first = start {
                try unsafe device.write(
                    UnsafeRawBufferPointer(rebasing: wanted[first..<position]), at: offset + UInt64(first))
                start = nil
            }
            if position == wanted.count { break }
            position = end
        }
    }

    private static func differs(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ range: Range<Int>
    ) -> Bool {
        guard let a = one.baseAddress, let b = other.baseAddress else { return false }
        // SAFETY: the range lies inside both buffers.
        return unsafe memcmp(a + range.lowerBound, b + range.lowerBound, range.count) != 0
    }

    /// Where it reads as zeroes already, nothing is done.
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        guard isSparing.load(ordering: .acquiring) else {
            return try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
        for extent in try device.extents(at: offset, length: length) where extent.kind == .data {
            try device.writeZeroes(at: extent.offset, length: extent.length, mayUnmap: mayUnmap)
        }
    }

    /// Passed on as they are: who cannot wait has no time to compare, and what a guest writes mostly differs.
    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        try unsafe device.write(data, at: offset, within: patience)
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap, within: patience)
    }

    public func writeOut() throws(BlockError) -> Bool { try device.writeOut() }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.discard(at: offset, length: length)
    }

    public func flush() throws(BlockError) { try device.flush() }

    public func writeBack(unless isOver: () -> Bool) throws(BlockError) { try device.writeBack(unless: isOver) }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.appendExtents(to: &extents, at: offset, length: length)
    }

    public func close() throws(BlockError) { try device.close() }

    public func interrupt() { device.interrupt() }

    public func probe() throws(BlockError) { try device.probe() }
}
