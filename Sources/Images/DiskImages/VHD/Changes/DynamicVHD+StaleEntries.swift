import BlockIO
import CoreTypes

/// Entries of the block table behind the end of the disk.
///
/// A crash while the disk gets smaller, or larger with blocks made ahead, leaves them. They mean nothing here, so the
/// file may end before what they name; but QEMU follows all entries that the table has room for, and refuses an image
/// one of whose blocks lies behind the end of the file. So they go before the file is cut.
extension DynamicVHD {
    /// Clears, durably, what names a block that reaches past `limit`. The footer at the beginning, which says where the
    /// disk ends, is durable. With the lock held exclusively before the first change, or with `commits` held.
    func dropStaleEntries(reachingPast limit: UInt64) throws(BlockError) {
        let stride = bitmapSize + blockSize
        let entries = Int(min(header.entryCount, Self.mostBlocks))
        var hasChanged = false
        // From the beginning of a sector: only whole sectors are written.
        var first = table.count / 128 * 128
        while first < entries {
            let count = min((entries - first + 127) / 128 * 128, 65536)
            let place = header.tableOffset + UInt64(first) * 4
            let bytes = try file.array(at: place, count: count * 4)
            let fields = BigEndianBytes(bytes)
            for sector in 0..<count / 128 {
                var new = Array(bytes[sector * 512..<(sector + 1) * 512])
                var isStale = false
                for index in sector * 128..<(sector + 1) * 128
                where first + index >= table.count && first + index < entries {
                    let entry = fields.u32(index * 4)
                    if entry == VHDBlockTable.unallocated || UInt64(entry) * 512 + stride <= limit { continue }
                    new.replaceBigEndian(at: (index - sector * 128) * 4, with: VHDBlockTable.unallocated)
                    isStale = true
                }
                if !isStale { continue }
                try file.store(new, at: place + UInt64(sector) * 512)
                hasChanged = true
            }
            first += count
        }
        if hasChanged { try file.sync() }
    }
}
