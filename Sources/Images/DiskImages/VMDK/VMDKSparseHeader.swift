import BlockIO

/// The header of a hosted sparse extent ("KDMV"), which a stream repeats as its footer. All offsets and sizes in the
/// file are sectors of 512 bytes; here they are bytes where the name does not say sectors.
struct VMDKSparseHeader: Hashable, Sendable {
    /// | offset | width | field |
    /// | --- | --- | --- |
    /// | 0 | 4 | `KDMV` |
    /// | 4 | 4 | version, 1 to 3 (3 is read as 1) |
    /// | 8 | 4 | flags |
    /// | 12 | 8 | capacity |
    /// | 20 | 8 | grain size |
    /// | 28, 36 | 8, 8 | embedded descriptor: first sector, sectors |
    /// | 44 | 4 | entries of a grain table |
    /// | 48 | 8 | redundant grain directory |
    /// | 56 | 8 | grain directory, all ones: in the footer |
    /// | 64 | 8 | sectors before the first grain |
    /// | 72 | 1 | not closed properly |
    /// | 73 | 4 | line ends in all their forms |
    /// | 77 | 2 | compression |
    static let byteCount = 512

    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt32
        static let newlineTest = Flags(rawValue: 1)
        static let redundantDirectory = Flags(rawValue: 2)
        static let zeroedGrains = Flags(rawValue: 4)
        static let compressed = Flags(rawValue: 0x10000)
        static let markers = Flags(rawValue: 0x20000)
    }

    /// The grain directory is named by the footer at the end of the file.
    static let directoryAtEnd = UInt64.max
    /// Grains of one table; no other number is in use.
    static let tableEntries: UInt64 = 512
    static let tableBytes: UInt64 = tableEntries * 4
    /// A larger embedded descriptor is not read.
    static let largestDescriptor: UInt64 = 1 << 20

    let version: UInt32
    let flags: Flags
    let capacitySectors: UInt64
    let grainSectors: UInt64
    /// Where the embedded descriptor lies; empty without.
    let descriptor: Range<UInt64>
    let directorySector: UInt64
    let redundantDirectorySector: UInt64
    let overheadSectors: UInt64
    let isUnclean: Bool

    var capacity: UInt64 { capacitySectors * 512 }
    var grainBytes: UInt64 { grainSectors * 512 }
    /// A stream (or an image that was made from one): grains have markers and are compressed.
    var isCompressed: Bool { flags.contains(.compressed) }
    var grainCount: UInt64 { capacitySectors / grainSectors + (capacitySectors % grainSectors == 0 ? 0 : 1) }
    /// Entries of the grain directory.
    var tableCount: UInt64 { (grainCount + Self.tableEntries - 1) / Self.tableEntries }

    /// Whether the bytes begin as such an extent does.
    static func isMarked(_ bytes: [UInt8]) -> Bool { LittleEndianBytes(bytes).hasMark("KDMV", at: 0) }

    /// Reads the header from the extent's first sector (or the footer's sector) and checks all that can be checked
    /// without the rest of the file.
    init(_ sector: [UInt8]) throws(BlockError) {
        let fields = LittleEndianBytes(sector)
        guard fields.hasMark("KDMV", at: 0), sector.count >= Self.byteCount else {
            throw BlockError(.invalidImage, "not a sparse VMDK extent: the mark KDMV is missing")
        }
        version = fields.u32(4)
        guard (1...3).contains(version) else {
            throw BlockError(.unsupported, "VMDK sparse extents of version \(version) are not known; 1 to 3 are")
        }
        flags = Flags(rawValue: fields.u32(8))
        guard !flags.contains(.newlineTest) || Array(sector[73..<77]) == [0x0A, 0x20, 0x0D, 0x0A] else {
            throw BlockError(
                .corrupt, "the VMDK was transferred as text, which changed its bytes; transfer it again as binary")
        }
        capacitySectors = fields.u64(12)
        guard capacitySectors <= UInt64(Int64.max) / 512 else {
            throw BlockError(.limitExceeded, "the VMDK claims \(capacitySectors) sectors, more than any disk can have")
        }
        grainSectors = fields.u64(20)
        let isCompressed = flags.contains(.compressed)
        // Inflated grains must fit memory; other grains are never held as a whole.
        let largestGrain: UInt64 = isCompressed ? 4 << 20 : 1 << 30
        guard grainSectors.nonzeroBitCount == 1, grainSectors >= 8, grainSectors <= largestGrain / 512 else {
            throw BlockError(
                .invalidImage,
                "the VMDK has grains of \(grainSectors) sectors; a power of two from 8 to \(largestGrain / 512) is legal"
            )
        }
        guard UInt64(fields.u32(44)) == Self.tableEntries else {
            throw BlockError(
                .unsupported, "the VMDK has grain tables of \(fields.u32(44)) entries; only 512 are known")
        }
        let first = fields.u64(28)
        let count = fields.u64(36)
        if first == 0 || count == 0 {
            descriptor = 0..<0
        } else {
            guard count <= Self.largestDescriptor / 512, first <= UInt64(Int64.max) / 1024 else {
                throw BlockError(
                    .limitExceeded, "the VMDK's descriptor of \(count) sectors at sector \(first) is not acceptable")
            }
            descriptor = first * 512..<(first + count) * 512
        }
        redundantDirectorySector = flags.contains(.redundantDirectory) ? fields.u64(48) : 0
        directorySector = fields.u64(56)
        overheadSectors = fields.u64(64)
        guard overheadSectors <= UInt64(Int64.max) / 1024 else {
            throw BlockError(.invalidImage, "the VMDK's first grain cannot begin at sector \(overheadSectors)")
        }
        isUnclean = fields.u8(72) != 0
        let compression = fields.u16(77)
        guard compression <= 1 else {
            throw BlockError(.unsupported, "the VMDK is compressed by method \(compression); only 1 (deflate) is known")
        }
        guard isCompressed == (compression == 1) else {
            throw BlockError(.invalidImage, "the VMDK's flags and its compression method contradict each other")
        }
        guard !isCompressed || flags.contains(.markers) else {
            throw BlockError(.unsupported, "the VMDK has compressed grains without markers")
        }
    }

    /// `footer` repeats this header, as it must.
    func agrees(with footer: VMDKSparseHeader) -> Bool {
        footer.capacitySectors == capacitySectors && footer.grainSectors == grainSectors
            && footer.isCompressed == isCompressed
    }
}
