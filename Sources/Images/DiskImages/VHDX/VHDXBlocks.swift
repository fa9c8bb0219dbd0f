import BlockIO

/// Where the blocks of a VHDX disk lie: the block table, read as it is needed.
struct VHDXBlocks: Sendable {
    enum Block: Hashable, Sendable {
        /// The parent's content, or zeroes without one.
        case absent
        /// Zeroes, whatever the parent holds: said explicitly, or because the content was given up.
        case zero
        case unmapped
        /// At this file offset.
        case present(UInt64)
        /// The same, but only those sectors that the bitmap has.
        case partial(UInt64)
    }

    private static let entryBytes: UInt64 = 8
    private static let offsetMask: UInt64 = ~0xF_FFFF
    private static let bitmapBytes: UInt64 = 1 << 20

    let blockSize: UInt64
    /// Payload blocks of one bitmap; an entry for the bitmap follows them in the table.
    let ratio: UInt64
    let blockCount: UInt64
    private let virtualSize: UInt64
    private let logicalSector: UInt64
    private let hasParent: Bool
    private let table: UInt64
    private let tableEnd: UInt64
    private let fileLength: UInt64
    private let reserved: [Range<UInt64>]
    private let pages: TablePages

    init(
        file: VHDXFile, metadata: VHDXMetadata, regions: VHDXRegions, log: Range<UInt64>
    ) throws(BlockError) {
        blockSize = metadata.blockSize
        virtualSize = metadata.virtualSize
        logicalSector = metadata.logicalSector
        hasParent = metadata.parent != nil
        ratio = (logicalSector << 23) / blockSize
        blockCount = (virtualSize + blockSize - 1) / blockSize
        table = regions.blockTable.lowerBound
        fileLength = file.length
        reserved = [regions.blockTable, regions.metadata, log]
        let entries: UInt64 =
            if blockCount == 0 { 0 } else if hasParent { (blockCount + ratio - 1) / ratio * (ratio + 1) } else {
                blockCount + (blockCount - 1) / ratio
            }
        tableEnd = table + entries * Self.entryBytes
        guard tableEnd <= regions.blockTable.upperBound else {
            throw BlockError(
                .corrupt,
                "the VHDX block table has room for \((regions.blockTable.upperBound - table) / 8) of \(entries) entries",
                offset: table)
        }
        pages = unsafe TablePages(pageBytes: 65536, slots: 32) { (buffer, offset) throws(BlockError) in
            try unsafe file.read(into: buffer, at: offset)
        }
    }

    /// The place of a block's entry in the table.
    private func place(of block: UInt64) -> UInt64 { table + (block + block / ratio) * Self.entryBytes }

    /// What `block` is, and how many blocks from it on are the same: all absent, say, or adjoining in the file. Looks no
    /// further than `most` blocks and one page of the table.
    func run(from block: UInt64, most: UInt64) throws(BlockError) -> (block: Block, count: UInt64) {
        let start = place(of: block)
        let run = try unsafe pages.withBytes(at: start) { (bytes) throws(BlockError) in
            let first = try unsafe decode(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)), block)
            var count: UInt64 = 1
            while count < most {
                let at = Int(place(of: block + count) - start)
                if at + 8 > bytes.count { break }
                let entry = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
                guard case let next = try? decode(entry, block + count), next == follower(of: first, count) else {
                    break
                }
                count += 1
            }
            return (first, count)
        }
        return run
    }

    private func follower(of block: Block, _ count: UInt64) -> Block? {
        switch block {
        case .absent, .zero, .unmapped: block
        case .present(let offset): .present(offset + count * blockSize)
        case .partial: nil
        }
    }

    /// Blocks from `block` on whose entries lie in a hole of the file, which are therefore absent. Makes maps of huge
    /// empty disks quick.
    func absentRun(from block: UInt64, file: VHDXFile) throws(BlockError) -> UInt64 {
        let start = place(of: block)
        let run = try file.run(at: start, end: tableEnd)
        if run.isData { return 0 }
        let entry = (run.end - table) / Self.entryBytes
        let next = run.end == tableEnd ? blockCount : entry - entry / (ratio + 1)
        return next > block ? min(next, blockCount) - block : 0
    }

    private func decode(_ entry: UInt64, _ block: UInt64) throws(BlockError) -> Block {
        let offset = entry & Self.offsetMask
        switch entry & 7 {
        case 0: return .absent
        case 1: return hasParent ? .zero : .unmapped
        case 2: return .zero
        case 3, 5: return hasParent ? .zero : .unmapped
        case 6:
            try checkPlace(offset, min(blockSize, virtualSize - block * blockSize), "block \(block)")
            return .present(offset)
        case 7 where hasParent:
            try checkPlace(offset, min(blockSize, virtualSize - block * blockSize), "block \(block)")
            return .partial(offset)
        case let state:
            throw BlockError(.corrupt, "block \(block) of the VHDX disk has the state \(state), which is not legal")
        }
    }

    private func checkPlace(_ offset: UInt64, _ length: UInt64, _ what: @autoclosure () -> String) throws(BlockError) {
        guard offset >= VHDXHeader.firstFree, offset <= fileLength, length <= fileLength - offset,
            !reserved.contains(where: { $0.lowerBound < offset + length && offset < $0.upperBound })
        else {
            throw BlockError(
                .corrupt, "\(what()) of the VHDX disk lies outside the file or over its metadata", offset: offset)
        }
    }

    /// Whether the bytes from `within` on, in a partially present block, are here, and for how many bytes, at most
    /// `most`, that stays so.
    func presence(of block: UInt64, within: UInt64, most: UInt64) throws(BlockError) -> (isHere: Bool, length: UInt64) {
        let entry = try pages.word64(at: table + (block / ratio * (ratio + 1) + ratio) * Self.entryBytes)
        let bitmap = entry & Self.offsetMask
        guard entry & 7 == 6 else {
            throw BlockError(
                .corrupt, "block \(block) of the VHDX disk is partly in the parent and no bitmap says which part")
        }
        try checkPlace(bitmap, Self.bitmapBytes, "the bitmap for block \(block)")
        let first = (block % ratio * blockSize + within) / logicalSector
        return try unsafe pages.withBytes(at: bitmap + first / 8) { (bytes) throws(BlockError) in
            let bit = Int(first % 8)
            let isHere = unsafe bytes[0] >> UInt8(bit) & 1 != 0
            let whole: UInt8 = isHere ? 0xFF : 0
            let limit = Int(min((most + within % logicalSector + logicalSector - 1) / logicalSector, 1 << 20)) + bit
            var next = bit + 1
            while next < limit, next / 8 < bytes.count {
                let byte = unsafe bytes[next / 8]
                if next % 8 == 0, byte == whole {
                    next += 8
                } else if (byte >> UInt8(next % 8) & 1 != 0) == isHere {
                    next += 1
                } else {
                    break
                }
            }
            return (isHere, min(UInt64(next - bit) * logicalSector - within % logicalSector, most))
        }
    }
}
