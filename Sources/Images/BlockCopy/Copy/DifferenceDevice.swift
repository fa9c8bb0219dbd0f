public import BlockIO
public import CoreTypes

/// A disk of which only what makes it different from a base counts as stored: an image that is written of this one is a delta,
/// to be laid over the base. It has zeroes where the base has something else, and nothing where the two are the same.
///
/// Reads are the disk's own. Neither the disk nor the base may change meanwhile; both stay the caller's to close.
public final class DifferenceDevice: BlockDevice {
    /// What differs is told in pieces of this many bytes, the usual cluster of qcow2.
    private static let unit: UInt64 = 64 << 10

    /// Units whose bits are kept together, where one of them differs.
    private static let chunk: UInt64 = 32768
    /// Bytes of bits at the most: 32 TiB that differ.
    private static let mostBytes = 64 << 20

    private let disk: any BlockDevice
    /// A bit for each unit of a chunk; empty where none differs.
    private let differing: [[UInt64]]

    /// Compares the two, reading what either has stored, and takes memory for one bit per 64 KiB of the disk where it differs,
    /// 64 MiB at most (`.limitExceeded`). What lies behind the base's end differs where it is not zero.
    public init(
        of disk: any BlockDevice, from base: any BlockDevice, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        var differing = [[UInt64]](repeating: [], count: Int(disk.size.dividedRoundingUp(by: Self.unit * Self.chunk)))
        var bytes = 0
        // SAFETY: of the bytes it is only asked whether there are any.
        try unsafe CompareEngine.eachDifference(
            of: disk, from: base, progress: progress, cancellation: cancellation
        ) { (offset, length, content) throws(BlockError) in
            if unsafe content == nil && offset >= base.size { return }
            for unit in offset / Self.unit...(offset + length - 1) / Self.unit {
                let (chunk, within) = (Int(unit / Self.chunk), unit % Self.chunk)
                if differing[chunk].isEmpty {
                    bytes += Int(Self.chunk / 8)
                    guard bytes <= Self.mostBytes else {
                        throw BlockError(.limitExceeded, "too much differs to keep account of it: write the whole disk")
                    }
                    differing[chunk] = [UInt64](repeating: 0, count: Int(Self.chunk / 64))
                }
                differing[chunk][Int(within / 64)] |= 1 << (within % 64)
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
            var next = after(position)
            while next < end, differs(next) == isDifferent { next = after(next) }
            next = min(next, end)
            extents.append(Extent(offset: position, length: next - position, kind: isDifferent ? .data : .hole))
            position = next
        }
    }

    private func differs(_ offset: UInt64) -> Bool {
        let unit = offset / Self.unit
        let chunk = differing[Int(unit / Self.chunk)]
        return !chunk.isEmpty && chunk[Int(unit % Self.chunk / 64)] >> (unit % 64) & 1 == 1
    }

    /// Where the next unit begins that may be otherwise.
    private func after(_ offset: UInt64) -> UInt64 {
        let unit = offset / Self.unit
        if differing[Int(unit / Self.chunk)].isEmpty { return (unit / Self.chunk + 1) * Self.chunk * Self.unit }
        return (unit + 1) * Self.unit
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
