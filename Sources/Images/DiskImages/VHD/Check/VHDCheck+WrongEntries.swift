import BlockIO
import CoreTypes

/// A block table that no writer may trust.
extension VHDCheck {
    /// Names every entry that is wrong by itself, and all others that lie over each other. With `all` the first are
    /// dropped, and true is returned: their blocks read as the parent, or as zeroes. Of two that lie over each other nobody
    /// knows which is right, and both stay.
    ///
    /// A block that was there may still lie in the file, where nothing names it. The run that drops its entry gives no
    /// space back: `canRepair` is to be false from here on.
    mutating func examineDamagedTable(_ layout: VHDLayout, _ header: VHDHeader) throws(BlockError) -> Bool {
        let blocks = layout.virtualSize.dividedRoundingUp(by: header.blockSize)
        // Without the map of full blocks: what a block lies over is no map (`VHDBatmap.lies`).
        guard blocks <= DynamicVHD.mostBlocks,
            let reserved = try? VHDLayout.reservedRanges(
                footer: layout.footer, header: header, batmap: nil, contentEnd: layout.contentEnd)
        else { return false }
        let table = VHDBlockTable(count: Int(blocks))
        try table.load(file: file, at: header.tableOffset)
        report.totalClusters = UInt64(table.count)
        // A footer that lies in the table would be written over it.
        if layout.contentEnd < header.tableOffset || layout.contentEnd - header.tableOffset < UInt64(table.count) * 4 {
            canRepair = false
        }
        let stride = header.bitmapSize + header.blockSize
        // A bit for each block, as in the map of full blocks: all of them may be wrong.
        var wrong = [UInt8](repeating: 0, count: (table.count + 7) / 8)
        var wrongCount = 0
        var starts: [UInt32] = []
        for block in 0..<table.count {
            if block % 65536 == 0 { try checkCancelled() }
            guard let start = table.start(of: block) else { continue }
            let used = min(header.blockSize, layout.virtualSize - UInt64(block) * header.blockSize)
            let needed = layout.hasTail ? header.bitmapSize + used : header.bitmapSize
            if start > layout.contentEnd || layout.contentEnd - start < needed {
                find(.corruption, "block \(block) lies outside of the file", offset: start, by: .all, .wrongEntries)
            } else if reserved.contains(where: { start < $0.upperBound && $0.lowerBound < start + stride }) {
                find(.corruption, "block \(block) lies over the metadata", offset: start, by: .all, .wrongEntries)
            } else {
                starts.append(table[block])
                continue
            }
            wrong.setBits(block..<block + 1)
            wrongCount += 1
        }
        try checkCancelled()
        starts.sort()
        for (a, b) in zip(starts, starts.dropFirst()) where UInt64(b - a) * 512 < stride {
            find(.corruption, "two blocks lie over each other", offset: UInt64(b) * 512)
        }
        guard work.remove(.wrongEntries) != nil else { return false }
        for block in 0..<table.count where wrong.isBitSet(block) { table.forget(block) }
        try drop(wrong, layout, header, table)
        find(
            .note,
            "\(wrongCount) entries were dropped, and their blocks read as the parent or zeroes; what else lies in the file is "
                + "kept, and a further check gives back what nothing uses")
        return true
    }

    /// Takes entries out of the table in the file, which `table` does not have any more. `wrong`: a bit for each.
    private func drop(
        _ wrong: [UInt8], _ layout: VHDLayout, _ header: VHDHeader, _ table: VHDBlockTable
    ) throws(BlockError) {
        // First what calls them full: a clear bit is always right, and no later block finds a set one.
        if var batmap = try VHDBatmap(file: file, layout: layout, header: header), !batmap.lies(over: table, header),
            var map = try batmap.load(file: file),
            batmap.isWithin(layout.contentEnd), zip(wrong, map).contains(where: { $0 & $1 != 0 })
        {
            for index in 0..<min(wrong.count, map.count) { map[index] &= ~wrong[index] }
            try batmap.store(map, file: file)
            try file.sync()
        }
        // Sector by sector, each whole before and after: after a crash some entries are left to be dropped.
        for sector in 0..<(table.count + 127) / 128 {
            let blocks = sector * 128..<min((sector + 1) * 128, table.count)
            if wrong[blocks.lowerBound / 8..<(blocks.upperBound + 7) / 8].allSatisfy({ $0 == 0 }) { continue }
            try checkCancelled()
            let place = header.tableOffset + UInt64(sector) * 512
            var bytes = try file.array(at: place, count: 512)
            for block in blocks where wrong.isBitSet(block) {
                bytes.replaceBigEndian(at: block % 128 * 4, with: VHDBlockTable.unallocated)
            }
            try file.store(bytes, at: place)
        }
        try file.sync()
    }
}
