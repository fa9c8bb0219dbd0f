import BlockIO
import CoreTypes
import Synchronization

/// New blocks, and the sector bitmaps of old ones.
extension DynamicVHD {
    /// Makes sure that a block is there, all its sectors count, and the file is in order. Returns where it starts.
    func makeWritable(_ block: Int) throws(BlockError) -> UInt64 {
        lock.lockExclusive()
        defer { lock.unlock() }
        if isClosed { throw BlockError(.io, "the image was closed", path: file.path) }
        try prepare()
        let sector = table[block]
        if sector == VHDBlockTable.unallocated { return try allocate(block) }
        if !table.isFull(block) { try complete(block, start: UInt64(sector) * 512) }
        return UInt64(sector) * 512
    }

    /// Before the first change: both footers valid, nothing behind the trailing one. With the lock held exclusively.
    func prepare() throws(BlockError) {
        if isPrepared { return }
        if !layout.footersAgree {
            try file.store(layout.footer.bytes, at: 0)
            try file.sync()
        }
        if !file.isBlockDevice {
            let isInPlace = layout.hasTail && layout.fileLength == end + UInt64(VHDFooter.size)
            if layout.fileLength > end && !isInPlace {
                // What a crash left behind the last block: new blocks must find zeroes there.
                try file.truncate(to: end)
            }
            footerMoved = !isInPlace || !layout.footersAgree
        } else if !layout.footersAgree {
            try file.store(layout.footer.bytes, at: layout.fileLength - UInt64(VHDFooter.size))
        }
        isPrepared = true
    }

    /// Places a new block behind all others, its data on a page boundary, never over the place of the footer, which a
    /// flush may be writing. The space there reads as zeroes.
    private func allocate(_ block: Int) throws(BlockError) -> UInt64 {
        let behindFooter = end + UInt64(VHDFooter.size)
        guard let data = (behindFooter + header.bitmapSize).roundedUp(to: 4096), (data + blockSize) / 512 < 1 << 32
        else {
            throw BlockError(.noSpace, "the VHD has reached 2 TiB, the end of what its block table can address")
        }
        let start = data - header.bitmapSize
        if file.isBlockDevice {
            guard data + blockSize <= layout.fileLength - UInt64(VHDFooter.size) else {
                throw BlockError(.noSpace, "the device is too small for another VHD block; enlarge it")
            }
            try file.zero(at: data, length: blockSize, mayUnmap: false)
        }
        try file.store([UInt8](repeating: 0xFF, count: Int(header.bitmapSize)), at: start)
        hasUnwrittenTable.store(true, ordering: .releasing)
        table.assign(block, UInt32(start / 512))
        table.setFull(block)
        end = data + blockSize
        footerMoved = true
        return start
    }

    /// Makes every sector of an old block count: those with a clear bit become the zeroes that they read as, and the
    /// bitmap becomes all ones with the next flush, after the zeroes are durable.
    private func complete(_ block: Int, start: UInt64) throws(BlockError) {
        let bitmap = try file.array(at: start, count: Int(header.bitmapSize))
        if !Self.coversAll(bitmap, sectors: Int(blockSize / 512)) {
            if bitmapsCount {
                for sector in 0..<Int(blockSize / 512) where !Self.isSet(bitmap, sector) {
                    try file.zero(
                        at: start + header.bitmapSize + UInt64(sector) * 512, length: 512, mayUnmap: false)
                }
            }
            hasUnwrittenTable.store(true, ordering: .releasing)
            completedBlocks.append(block)
        }
        table.setFull(block)
    }

    /// Zeroes what was read of sectors whose bit is clear; remembers a block that has none.
    func clearAbsent(
        in target: UnsafeMutableRawBufferPointer, block: Int, start: UInt64, within: UInt64
    ) throws(BlockError) {
        let bitmap = try file.array(at: start, count: Int(header.bitmapSize))
        let used = min(blockSize, size - UInt64(block) * blockSize) / 512
        if Self.coversAll(bitmap, sectors: Int(used)) {
            if used == blockSize / 512 { lock.exclusive { table.setFull(block) } }
            return
        }
        var position = 0
        while position < target.count {
            let sector = (Int(within) + position) / 512
            let next = min((sector + 1) * 512 - Int(within), target.count)
            if !Self.isSet(bitmap, sector) {
                // SAFETY: position < next <= the buffer's count.
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[position..<next])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            }
            position = next
        }
    }

    private static func isSet(_ bitmap: [UInt8], _ sector: Int) -> Bool {
        bitmap[sector / 8] & 0x80 >> UInt8(sector % 8) != 0
    }

    private static func coversAll(_ bitmap: [UInt8], sectors: Int) -> Bool {
        bitmap[..<(sectors / 8)].allSatisfy { $0 == 0xFF }
            && (sectors / 8 * 8..<sectors).allSatisfy { isSet(bitmap, $0) }
    }
}
