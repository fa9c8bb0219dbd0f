public import BlockIO
public import CoreTypes

/// A disk of which only what makes it different from a base counts as stored: an image that is written of this one is a delta,
/// to be laid over the base. It has zeroes where the base has something else, and nothing where the two are the same.
///
/// Reads are the disk's own. Neither the disk nor the base may change meanwhile; both stay the caller's to close.
public final class DifferenceDevice: BlockDevice {
    /// What differs is told in pieces of this many bytes, the usual cluster of qcow2.
    static let unit: UInt64 = 64 << 10

    /// Units whose bits are kept together where one of them differs: 64 MiB of the disk.
    static let chunk: UInt64 = 1024
    /// Chunks at the most, with 128 bytes of bits and 8 of their number each: 64 MiB.
    static let mostChunks = (64 << 20) / 136
    /// Extents that one call tells at the most.
    private static let extentsPerCall = 16384

    private let disk: any BlockDevice
    /// The chunks in which anything differs, ascending.
    private let chunks: [UInt64]
    /// A bit for each unit of such a chunk.
    private let bits: [SIMD16<UInt64>]

    /// Compares the two, reading what either has stored, and takes memory for one bit per 64 KiB of the disk in each 64 MiB of
    /// it in which anything differs, 64 MiB at most (`.limitExceeded`): enough for 490,000 changes wherever they are, and for
    /// 30 TiB that differ. What lies behind the base's end differs where it is not zero.
    public init(
        of disk: any BlockDevice, from base: any BlockDevice, progress: ProgressCounter = ProgressCounter(),
        cancellation: CancellationFlag = CancellationFlag()
    ) throws(BlockError) {
        var chunks: [UInt64] = []
        var bits: [SIMD16<UInt64>] = []
        // SAFETY: of the bytes it is only asked whether there are any.
        try unsafe CompareEngine.eachDifference(
            of: disk, from: base, zeroesBehindAreSame: true, progress: progress, cancellation: cancellation
        ) { (offset, length, _) throws(BlockError) in
            for unit in offset / Self.unit...(offset + length - 1) / Self.unit {
                let (chunk, within) = (unit / Self.chunk, unit % Self.chunk)
                // Differences come in the order of the disk.
                if chunks.last != chunk {
                    guard chunks.count < Self.mostChunks else {
                        throw BlockError(.limitExceeded, "too much differs to keep account of it: write the whole disk")
                    }
                    chunks.append(chunk)
                    bits.append(SIMD16(repeating: 0))
                }
                bits[bits.count - 1][Int(within / 64)] |= 1 << (within % 64)
            }
        }
        self.disk = disk
        self.chunks = chunks
        self.bits = bits
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
        let most = extents.count + Self.extentsPerCall
        var position = offset
        var index = firstChunk(from: offset / Self.unit / Self.chunk)
        while position < end, extents.count < most {
            let (isDifferent, length) = run(at: position, index)
            let next = min(position + length, end)
            extents.appendJoining(
                Extent(offset: position, length: next - position, kind: isDifferent ? .data : .hole))
            position = next
            while index < chunks.count, chunks[index] < position / Self.unit / Self.chunk { index += 1 }
        }
    }

    /// The number in `chunks` of the first one at or behind a chunk.
    private func firstChunk(from chunk: UInt64) -> Int {
        var (low, high) = (0, chunks.count)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle] < chunk { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Whether `offset` differs, and bytes that do not differ from it in that. `index`: of the first chunk at or behind it.
    private func run(at offset: UInt64, _ index: Int) -> (isDifferent: Bool, length: UInt64) {
        let unit = offset / Self.unit
        guard index < chunks.count else { return (false, disk.size - offset) }
        let begin = chunks[index] * Self.chunk
        if unit < begin { return (false, begin * Self.unit - offset) }
        let map = bits[index]
        func differs(_ unit: UInt64) -> Bool { map[Int((unit - begin) / 64)] >> (unit % 64) & 1 == 1 }
        let isDifferent = differs(unit)
        var next = unit + 1
        while next < begin + Self.chunk, differs(next) == isDifferent { next += 1 }
        return (isDifferent, next * Self.unit - offset)
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
