import BlockIO
import CoreTypes
import Synchronization

/// A dynamic VHD: blocks that appear in the file when they are first written.
///
/// Blocks are never moved or freed while the image is open, so a request needs the lock only to look one up; its I/O
/// runs without. `lock` exclusive guards every change of the fields below it.
///
/// Durability: a new block is at first only in memory (`table`, `end`). `flush` makes its bitmap and data durable, and
/// only then writes the sectors of the block table that changed. After a crash in between the file is longer than the
/// table says and may lack its trailing footer; `VHDLayout` opens it by the copy at the beginning.
@safe
final class DynamicVHD: BlockDevice, @unchecked Sendable {
    let size: UInt64
    var isReadOnly: Bool { file.isReadOnly }
    var preferredAlignment: UInt64 { blockSize }
    var hasVolatileMetadata: Bool { hasUnwrittenTable.load(ordering: .acquiring) }
    let file: any ImageStorage
    let layout: VHDLayout
    let header: VHDHeader
    let blockSize: UInt64
    /// A clear bit in a block's bitmap means that the sector reads as zeroes. So only where blktap wrote the image;
    /// all others write bitmaps carelessly and read the data.
    let bitmapsCount: Bool
    let flushGate = FlushGate()

    let lock = ReadWriteLock()
    let table: VHDBlockTable
    var batmap: VHDBatmap?
    /// What the batmap on disk says; nil when it is not to be believed.
    var storedMap: [UInt8]?
    /// File offset behind the last block and all metadata: where the trailing footer belongs.
    var end: UInt64
    /// The footer must be written at `end`.
    var footerMoved = false
    /// Old blocks whose bitmap must be written as all ones by the next flush.
    var completedBlocks: [Int] = []
    /// Entries of the block table or bitmaps in memory differ from the file. Changed with the lock held exclusively.
    let hasUnwrittenTable = Atomic<Bool>(false)
    /// The file has been brought into order for changes.
    var isPrepared = false
    var isClosed = false

    /// More blocks than any real image has; bounds the memory for a hostile one.
    private static let mostBlocks: UInt64 = 16 << 20

    init(file: any ImageStorage, layout: VHDLayout, header: VHDHeader) throws(BlockError) {
        let blocks = layout.virtualSize.dividedRoundingUp(by: header.blockSize)
        guard blocks <= Self.mostBlocks else {
            throw BlockError(.limitExceeded, "\(blocks) VHD blocks are more than \(Self.mostBlocks)")
        }
        self.file = file
        self.layout = layout
        self.header = header
        size = layout.virtualSize
        blockSize = header.blockSize
        bitmapsCount = layout.footer.creator == VHDFooter.tap
        table = VHDBlockTable(count: Int(blocks))
        try table.load(file: file, at: header.tableOffset)
        batmap = try VHDBatmap(file: file, layout: layout, header: header)

        let headerOffset = layout.footer.headerOffset
        var reserved = [
            0..<UInt64(VHDFooter.size), headerOffset..<headerOffset + UInt64(VHDHeader.size),
            header.tableOffset..<header.batmapOffset,
        ]
        if reserved[1].overlaps(reserved[2]) {
            throw BlockError(.corrupt, "the VHD header and block table lie over each other", offset: headerOffset)
        }
        if let batmap { reserved += [batmap.headOffset..<batmap.mapOffset + batmap.mapSize] }
        let lastBlockEnd = try table.checkedEnd(header: header, reserved: reserved, layout: layout)
        end = reserved.reduce(lastBlockEnd) { max($0, $1.upperBound) }

        storedMap = try batmap?.load(file: file)
        if let storedMap {
            for block in 0..<table.count where block / 8 < storedMap.count {
                if storedMap[block / 8] & 0x80 >> UInt8(block % 8) != 0 { table.setFull(block) }
            }
        }
    }

    // MARK: Requests

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let part = part(offset + UInt64(done), UInt64(buffer.count - done))
            // SAFETY: `part` never reaches past what is left of the buffer.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + Int(part.length)])
            let place = try lookUp(part.block)
            if let start = place.start {
                try unsafe file.read(into: target, at: start + header.bitmapSize + part.within)
                if bitmapsCount && !place.isFull {
                    try unsafe clearAbsent(in: target, block: part.block, start: start, within: part.within)
                }
            } else {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += Int(part.length)
        }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(data.count))
        try checkWritable()
        var done = 0
        while done < data.count {
            let part = part(offset + UInt64(done), UInt64(data.count - done))
            let place = try lookUp(part.block)
            let start: UInt64
            if place.isFull && place.isPrepared, let known = place.start {
                start = known
            } else {
                start = try makeWritable(part.block)
            }
            // SAFETY: `part` never reaches past what is left of the data.
            try unsafe file.write(
                UnsafeRawBufferPointer(rebasing: data[done..<done + Int(part.length)]),
                at: start + header.bitmapSize + part.within)
            done += Int(part.length)
        }
    }

    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try forEachStored(offset, length) { (position, count) throws(BlockError) in
            try file.zero(at: position, length: count, mayUnmap: mayUnmap)
        }
    }

    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try forEachStored(offset, length) { (position, count) throws(BlockError) in
            _ = try file.punch(at: position, length: count)
        }
    }

    /// Calls `body` with the file range of every stored part of a range, ready for change. Where nothing is stored the
    /// range reads as zeroes already; where a bitmap's bit is clear it goes on to.
    private func forEachStored(
        _ offset: UInt64, _ length: UInt64, _ body: (UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) {
        try checkRange(offset, length)
        try checkWritable()
        var position = offset
        while position < offset + length {
            let part = part(position, offset + length - position)
            let place = try lookUp(part.block)
            if let start = place.start {
                if !place.isPrepared { _ = try makeWritable(part.block) }
                try body(start + header.bitmapSize + part.within, part.length)
            }
            position += part.length
        }
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        var position = offset
        var runs = 0
        // Bounded work per call where blocks are stored: each asks the file system.
        while position < offset + length, runs < 1024 {
            let part = part(position, offset + length - position)
            guard let start = try lookUp(part.block).start else {
                extents.appendJoining(Extent(offset: position, length: part.length, kind: .hole))
                position += part.length
                continue
            }
            let at = start + header.bitmapSize + part.within
            let run = try file.run(at: at, end: at + part.length)
            // Whole sectors, where the file ends inside one.
            let count = run.isData ? min((run.end - at).roundedUp(to: 512) ?? part.length, part.length) : run.end - at
            extents.appendJoining(Extent(offset: position, length: count, kind: run.isData ? .data : .zero))
            position += count
            runs += 1
        }
    }

    // MARK: Lookup

    /// The block of `offset`, the offset in it, and how much of `length` lies in it.
    @inline(__always)
    private func part(_ offset: UInt64, _ length: UInt64) -> (block: Int, within: UInt64, length: UInt64) {
        let within = offset & (blockSize - 1)
        return (Int(offset / blockSize), within, min(length, blockSize - within))
    }

    /// Where a block starts in the file (its bitmap), nil when it is not there.
    private func lookUp(_ block: Int) throws(BlockError) -> (start: UInt64?, isFull: Bool, isPrepared: Bool) {
        lock.lockShared()
        defer { lock.unlock() }
        if isClosed { throw BlockError(.io, "the image was closed", path: file.path) }
        let sector = table[block]
        return (
            sector == VHDBlockTable.unallocated ? nil : UInt64(sector) * 512, table.isFull(block), isPrepared
        )
    }

    private func checkWritable() throws(BlockError) {
        if isReadOnly { throw BlockError(.readOnly, "the image was opened read-only", path: file.path) }
    }
}
