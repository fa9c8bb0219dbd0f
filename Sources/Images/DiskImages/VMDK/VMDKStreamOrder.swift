import BlockIO

/// The rules for the order of markers in a streamOptimized VMDK, for one pass from the front: fed with every marker, it
/// says what follows and how far the next marker is. Grains must ascend: with two contents for one place nobody could
/// say which is meant.
struct VMDKStreamOrder: Sendable {
    enum Step: Hashable, Sendable {
        /// `size` compressed bytes begin 12 bytes into the marker's sector, for `length` bytes of the disk from `offset`.
        case grain(offset: UInt64, length: Int, size: Int)
        /// Metadata that a pass from the front needs nothing of.
        case metadata
        /// The footer's sector follows.
        case footer
        case end
    }

    let header: VMDKSparseHeader
    /// The lowest sector of the disk that the next grain may have.
    private var lowest: UInt64 = 0

    init(header: VMDKSparseHeader) throws(BlockError) {
        guard header.isCompressed else {
            throw BlockError(
                .unsupported, "only the streamOptimized kind of VMDK can be read from front to end; give it as a file")
        }
        guard header.overheadSectors < 1 << 40 else {
            throw BlockError(
                .corrupt, "the VMDK claims that its grains begin at sector \(header.overheadSectors)", offset: 64)
        }
        self.header = header
    }

    /// The first marker's file offset.
    var firstMarker: UInt64 { max(1, header.overheadSectors) * 512 }

    /// Compressed bytes that a grain may have at most.
    var largestGrain: Int { Self.largestGrain(header) }

    static func largestGrain(_ header: VMDKSparseHeader) -> Int { Int(2 * header.grainBytes) + 4096 }

    /// - Parameter offset: the marker's file offset, for errors.
    /// - Returns: what it stands for, and bytes from this marker's start to the next.
    mutating func accept(_ marker: VMDKMarker, at offset: UInt64) throws(BlockError) -> (step: Step, advance: UInt64) {
        switch marker {
        case .grain(let sector, let size):
            let length = try checked(sector, size, at: offset)
            lowest = sector + header.grainSectors
            let advance = (UInt64(size) + UInt64(VMDKMarker.grainPrefix) + 511) & ~511
            return (.grain(offset: sector * 512, length: length, size: Int(size)), advance)
        case .grainTable(let sectors): return (.metadata, try skipping(sectors, most: 4, at: offset))
        case .grainDirectory(let sectors):
            return (.metadata, try skipping(sectors, most: header.tableCount / 128 + 1, at: offset))
        case .footer(let sectors): return (.footer, try skipping(sectors, most: 1, at: offset))
        case .endOfStream: return (.end, 512)
        case .unknown(let type):
            throw BlockError(.corrupt, "the VMDK stream has a marker of the unknown type \(type)", offset: offset)
        }
    }

    private func checked(_ sector: UInt64, _ size: UInt32, at offset: UInt64) throws(BlockError) -> Int {
        guard sector < header.capacitySectors, sector % header.grainSectors == 0 else {
            throw BlockError(
                .corrupt, "a grain of the VMDK stream claims sector \(sector), where no grain begins", offset: offset)
        }
        guard sector >= lowest else {
            throw BlockError(
                .corrupt, "the VMDK stream has sector \(sector) twice or out of order; nobody can say which one counts",
                offset: offset)
        }
        guard UInt64(size) <= UInt64(largestGrain) else {
            throw BlockError(
                .corrupt, "a grain of the VMDK stream has \(size) compressed bytes, more than it can need",
                offset: offset)
        }
        return Int(min(header.grainSectors, header.capacitySectors - sector)) * 512
    }

    private func skipping(_ sectors: UInt64, most: UInt64, at offset: UInt64) throws(BlockError) -> UInt64 {
        guard sectors <= most else {
            throw BlockError(
                .corrupt, "a marker of the VMDK stream claims \(sectors) sectors of metadata", offset: offset)
        }
        return (sectors + 1) * 512
    }
}
