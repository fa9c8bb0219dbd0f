import BlockIO
import CoreTypes

/// A larger block table.
///
/// It goes behind the old one and the other metadata, as far in front of the blocks as blktap's check wants it. The
/// old table is not touched, so one sector switches from it to the new one:
///
/// 1. the footer at the end goes behind the place of the new table; barrier;
/// 2. the blocks in the way move behind all others, each by one sector of the old table (`moveBlocks`);
/// 3. the new table with the same entries, and a new batmap; barrier;
/// 4. the first sector of the header, which holds the table's place, its length and the checksum; barrier.
///
/// After a crash before 4 the old table names every block where it is; after 4 the new one does. The place of the old
/// table stays unused.
extension DynamicVHD {
    /// Alone.
    func moveTable(forAtLeast blocks: UInt64) throws(BlockError) {
        // Twice as many entries: the next time is far off.
        let most = VHDImage.largestSize(blockSize: blockSize).dividedRoundingUp(by: blockSize)
        let entries = max(blocks, min(blocks * 2, most))
        let place = try placeForTable(entries)
        var new = VHDHeader(header, tableOffset: place, entryCount: entries)
        let hasMap = batmap != nil || VHDBatmap.isWritten(by: footer)
        var map: VHDBatmap?
        if hasMap { map = VHDBatmap(new: new, virtualSize: size) }
        let placeEnd = map.map { $0.mapOffset + $0.mapSize } ?? new.batmapOffset
        guard !file.isBlockDevice || placeEnd <= footerPlace else {
            throw BlockError(.noSpace, "the device is too small for a larger VHD block table; enlarge it")
        }
        if end < placeEnd {
            lock.exclusive {
                end = placeEnd
                footerMoved = true
            }
            try commit()
        }
        try moveBlocks(outOf: place..<placeEnd)
        var first = 0
        while first < Int(entries) {
            let next = min(first + (256 << 10), Int(new.tableSize / 4))
            try file.store(table.encoded(first..<next), at: place + UInt64(first) * 4)
            first = next
        }
        let bits = storedMap ?? []
        try map?.store(bits, file: file)
        try file.sync()
        try file.store(Array(new.bytes[..<512]), at: footer.headerOffset)
        try file.sync()
        lock.exclusive {
            swap(&header, &new)
            batmap = map
            storedMap = bits
        }
    }

    /// Room for a table of so many entries and its batmap behind the metadata that are in front of the blocks.
    private func placeForTable(_ entries: UInt64) throws(BlockError) -> UInt64 {
        let reserved = try VHDLayout.reservedRanges(footer: footer, header: header, batmap: batmap, contentEnd: end)
        let length = (entries * 4 + 511) / 512 * 512 + 512 + VHDBatmap.neededSize(entries)
        var place = places().locators
        // Each time behind another range, so at most once for each.
        while let taken = reserved.first(where: { $0.overlaps(place..<place + length) }) { place = taken.upperBound }
        return place
    }
}
