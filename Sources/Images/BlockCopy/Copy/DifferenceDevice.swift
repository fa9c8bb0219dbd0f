public import BlockIO
public import CoreTypes

/// A disk of which only what makes it different from a base counts as stored: an image that is written of this one is a delta,
/// to be laid over the base. It has zeroes where the base has something else, and nothing where the two are the same.
///
/// Reads are the disk's own. Neither the disk nor the base may change meanwhile; both stay the caller's to close.
public final class DifferenceDevice: BlockDevice {
    /// What differs is told in pieces of this many bytes, the usual cluster of qcow2.
    private static let unit: UInt64 = 64 << 10

    private let disk: any BlockDevice
    /// A bit for each unit.
    private let differing: [UInt64]

    /// Compares the two, reading what either has stored, and takes memory for one bit per 64 KiB of the disk. What lies behind
    /// the base's end differs where it is not zero.
    public init(
        of disk: any BlockDevice, from base: any BlockDevice, cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        var differing = [UInt64](repeating: 0, count: Int(disk.size.dividedRoundingUp(by: Self.unit * 64)))
        // SAFETY: of the bytes it is only asked whether there are any.
        try unsafe CompareEngine.eachDifference(
            of: disk, from: base, progress: ProgressCounter(), cancellation: cancellation
        ) { (offset, length, bytes) throws(BlockError) in
            if unsafe bytes == nil && offset >= base.size { return }
            for unit in offset / Self.unit...(offset + length - 1) / Self.unit {
                differing[Int(unit / 64)] |= 1 << (unit % 64)
            }
        }
        self.disk = disk
        self.differing = differing
    }

    public var size: UInt64 { disk.size }
    public var isReadOnly: Bool { true }
    public var preferredAlignment: UInt64 { disk.preferredAlignment }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe disk.read(into: buffer, at: offset)
    }

    public func willRead(at offset: UInt64, length: UInt64) { disk.willRead(at: offset, length: length) }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        let end = offset + length
        var position = offset
        while position < end {
            let isDifferent = differs(position)
            var next = (position / Self.unit + 1) * Self.unit
            while next < end, differs(next) == isDifferent { next += Self.unit }
            next = min(next, end)
            extents.append(Extent(offset: position, length: next - position, kind: isDifferent ? .data : .hole))
            position = next
        }
    }

    private func differs(_ offset: UInt64) -> Bool {
        let unit = offset / Self.unit
        return differing[Int(unit / 64)] >> (unit % 64) & 1 == 1
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) { throw Self.refusal }
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        throw Self.refusal
    }
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) { throw Self.refusal }
    public func flush() throws(BlockError) {}
    public func close() throws(BlockError) {}

    private static let refusal = BlockError(.readOnly, "what differs between two disks cannot be written")
}
