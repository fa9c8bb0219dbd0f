import BlockIO
import CoreTypes
import Synchronization

/// New blocks, and the sector bitmaps of old ones.
extension DynamicVHD {
    /// Makes sure that a block is there and the file is in order; where there is no parent also that all the block's
    /// sectors count. Returns where it starts.
    func makeWritable(_ block: Int) throws(BlockError) -> UInt64 {
        lock.lockExclusive()
        defer { lock.unlock() }
        try checkOpen()
        try prepare()
        guard let start = table.start(of: block) else { return try allocate(block) }
        if !isDifferencing && !table.isFull(block) { try complete(block, start: start) }
        return start
    }

    /// Before the first change: both footers valid, every block whole, nothing behind the trailing one. With the lock
    /// held exclusively.
    func prepare() throws(BlockError) {
        if isPrepared { return }
        if !layout.footersAgree {
            try file.store(footer.bytes, at: 0)
            try file.sync()
        }
        if !file.isBlockDevice {
            let isInPlace = layout.hasTail && layout.fileLength == end + UInt64(VHDFooter.size)
            try dropStaleEntries(reachingPast: end)
            if layout.fileLength > end && !isInPlace {
                // What a crash left behind the last block: new blocks must find zeroes there.
                try file.truncate(to: end)
            }
            if !isInPlace { try storeFooter(behind: end) }
            if layout.hasTail && layout.contentEnd < end {
                // A last block that was cut short becomes whole: what is missing is zeroes, not the old footer. The copy
                // at the beginning stands in for it, should the new one not get to the disk.
                let count = min(layout.fileLength, end) - layout.contentEnd
                try file.store([UInt8](repeating: 0, count: Int(count)), at: layout.contentEnd)
            }
            footerMoved = !isInPlace || !layout.footersAgree
        } else if !layout.footersAgree {
            try file.store(footer.bytes, at: layout.fileLength - UInt64(VHDFooter.size))
        }
        if mapNamesAbsent {
            // What is known to be full in memory is so by bitmaps on disk: nothing was written yet.
            try storeMap(table.fullMap())
            mapNamesAbsent = false
        }
        isPrepared = true
    }

    /// Where a new block goes: behind all others, its data on a page boundary, never over the place of the footer, which
    /// a flush may be writing. With the lock held exclusively.
    func freePlace() throws(BlockError) -> UInt64 {
        let behindFooter = end + UInt64(VHDFooter.size)
        guard let data = (behindFooter + bitmapSize).roundedUp(to: 4096), (data + blockSize) / 512 < 1 << 32 else {
            throw BlockError(.noSpace, "the VHD has reached 2 TiB, the end of what its block table can address")
        }
        if file.isBlockDevice {
            guard data + blockSize <= layout.fileLength - UInt64(VHDFooter.size) else {
                throw BlockError(.noSpace, "the device is too small for another VHD block; enlarge it")
            }
        }
        return data - bitmapSize
    }

    /// Puts the footer behind the place of a new block before anything is in the block. Else, if this process were
    /// killed, the file would end with a sector of the guest's, who could make that a footer of its own choosing.
    func storeFooter(behind end: UInt64) throws(BlockError) {
        if !file.isBlockDevice { try file.store(footer.bytes, at: end) }
    }

    /// Adds a block in space that reads as zeroes: all its sectors count at once in a dynamic image, none in a
    /// differencing one.
    func allocate(_ block: Int) throws(BlockError) -> UInt64 {
        let start = try freePlace()
        // While nobody knows the file, footer and bitmaps are written once, with the next flush.
        if !file.isUnpublished { try storeFooter(behind: start + bitmapSize + blockSize) }
        if isDifferencing {
            let none = [UInt8](repeating: 0, count: Int(bitmapSize))
            // In a file nothing was ever written there.
            if file.isBlockDevice { try file.store(none, at: start) }
            bitmaps.keep(none, of: block)
        } else {
            if file.isBlockDevice { try file.zero(at: start + bitmapSize, length: blockSize, mayUnmap: false) }
            if file.isUnpublished {
                unwrittenBitmaps.append(start)
            } else {
                try file.store([UInt8](repeating: 0xFF, count: Int(bitmapSize)), at: start)
            }
        }
        hasUnwrittenTable.store(true, ordering: .releasing)
        table.assign(block, UInt32(start / 512))
        if !isDifferencing { table.setFull(block) }
        end = start + bitmapSize + blockSize
        footerMoved = true
        return start
    }

    /// Makes every sector of an old block count: those with a clear bit become the zeroes that they read as, and the
    /// bitmap becomes all ones with the next flush, after the zeroes are durable. With the lock held exclusively.
    func complete(_ block: Int, start: UInt64) throws(BlockError) {
        let bitmap = try file.array(at: start, count: Int(bitmapSize))
        let sectors = 0..<Int(blockSize / 512)
        if !bitmap.areBitsSet(sectors) {
            if bitmapsCount {
                for run in bitmap.runs(sectors) where !run.isSet {
                    try file.zero(
                        at: start + bitmapSize + UInt64(run.bits.lowerBound) * 512,
                        length: UInt64(run.bits.count) * 512, mayUnmap: false)
                }
            }
            hasUnwrittenTable.store(true, ordering: .releasing)
            bitmaps.fill(block, count: Int(bitmapSize))
        }
        table.setFull(block)
    }
}
