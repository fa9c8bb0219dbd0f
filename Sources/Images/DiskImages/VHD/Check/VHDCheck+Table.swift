import BlockIO
import CoreTypes

/// The block table, the space of the file, and the map of full blocks.
extension VHDCheck {
    /// Of a table that is sound: entries behind the end of the disk, and space that nothing uses.
    mutating func examineTable(_ device: DynamicVHD) throws(BlockError) {
        let table = device.table
        let stride = device.bitmapSize + device.blockSize
        let stale = try staleEntries(device)
        if stale.count > 0 {
            find(
                .leak, "\(stale.count) entries of the block table lie behind the end of the disk",
                count: stale.count, by: .leaks, .staleEntries)
        }
        var starts: [UInt32] = []
        var fragments: UInt64 = 0
        var last: UInt64?
        for block in 0..<table.count {
            guard let start = table.start(of: block) else { continue }
            starts.append(table[block])
            // Behind its predecessor, with padding or without.
            if let last, start < last + stride || start > last + stride + 4096 { fragments += 1 }
            last = start
        }
        report.totalClusters = UInt64(table.count)
        report.allocatedClusters = UInt64(starts.count)
        report.fragmentedClusters = fragments
        report.imageEnd = device.end
        starts.sort()
        try examineSpace(between: starts, stride: stride, of: device)
        let fileEnd = device.end + UInt64(VHDFooter.size)
        if !file.isBlockDevice, device.layout.fileLength > fileEnd {
            find(
                .leak, "\(device.layout.fileLength - fileEnd) bytes behind the last block belong to nothing",
                offset: device.end, count: (device.layout.fileLength - fileEnd).dividedRoundingUp(by: stride),
                by: .leaks, .order)
        }
    }

    /// Of a file: what neither blocks (at `starts`, ascending sectors) nor metadata use. Metadata may lie anywhere, also
    /// between blocks.
    private mutating func examineSpace(
        between starts: [UInt32], stride: UInt64, of device: DynamicVHD
    ) throws(BlockError) {
        if file.isBlockDevice { return }
        var metadata = try VHDLayout.reservedRanges(
            footer: device.footer, header: device.header, batmap: device.batmap, contentEnd: device.layout.contentEnd
        ).sorted { $0.lowerBound < $1.lowerBound }[...]
        // In front of the first block lie metadata, and what was left free for more of them.
        var position = metadata.reduce(0) { max($0, $1.upperBound) }
        if let first = starts.first { position = min(position, UInt64(first) * 512) }
        metadata = metadata.drop { $0.lowerBound < position }
        for start in starts.lazy.map({ UInt64($0) * 512 }) {
            while let range = metadata.first, range.lowerBound < start {
                try examineGap(from: position, to: range.lowerBound, atLeast: stride)
                position = max(position, range.upperBound)
                metadata.removeFirst()
            }
            try examineGap(from: position, to: start, atLeast: stride)
            position = max(position, start + stride)
        }
    }

    private mutating func examineGap(from start: UInt64, to end: UInt64, atLeast: UInt64) throws(BlockError) {
        guard end >= start + atLeast, try holdsSpace(start..<end) else { return }
        find(.leak, "nothing uses the space between two blocks", offset: start, by: .leaks, .holes)
        if work.contains(.holes) { _ = try file.punch(at: start, length: end - start) }
    }

    private func holdsSpace(_ range: Range<UInt64>) throws(BlockError) -> Bool {
        // Anything but one hole, of the pages that neither neighbour has a part in: those cannot be given back.
        let low = (range.lowerBound + 4095) & ~4095
        let high = range.upperBound & ~4095
        if low >= high { return false }
        let run = try file.run(at: low, end: high)
        return run.isData || run.end < high
    }

    /// Entries behind the end of the disk that name blocks: how many, and in which sectors of the table.
    func staleEntries(_ device: DynamicVHD) throws(BlockError) -> (count: UInt64, sectors: Set<Int>) {
        var stale: (count: UInt64, sectors: Set<Int>) = (0, [])
        var index = device.table.count
        let limit = Int(min(device.header.entryCount, DynamicVHD.mostBlocks))
        while index < limit {
            try checkCancelled()
            let count = min(limit - index, 65536)
            let bytes = try file.array(at: device.header.tableOffset + UInt64(index) * 4, count: count * 4)
            if !bytes.allSatisfy({ $0 == 0xFF }) {
                let fields = BigEndianBytes(bytes)
                for entry in 0..<count where fields.u32(entry * 4) != VHDBlockTable.unallocated {
                    stale.count += 1
                    stale.sectors.insert((index + entry) / 128)
                }
            }
            index += count
        }
        return stale
    }

    /// The map of full blocks against the bitmaps: a set bit over a block that is not full is corruption.
    mutating func examineBatmap(_ device: DynamicVHD) throws(BlockError) {
        guard let batmap = device.batmap else {
            if VHDBatmap.isWritten(by: device.footer), device.footer.creatorVersion >= 0x0001_0002 {
                find(.note, "the map of full blocks is missing, which blktap takes to be there")
            }
            return
        }
        guard let map = try batmap.load(file: file) else {
            find(
                .note, "the map of full blocks has a wrong checksum and is not believed", offset: batmap.headOffset,
                by: .leaks, .batmap)
            return
        }
        let sectors = 0..<Int(device.blockSize / 512)
        for block in 0..<min(device.table.count, map.count * 8) where map.isBitSet(block) {
            if block % 1024 == 0 { try checkCancelled() }
            guard let start = device.table.start(of: block) else {
                find(.note, "the map of full blocks names block \(block), which is not there", by: .leaks, .batmap)
                continue
            }
            let bitmap = try file.array(at: start, count: Int(device.bitmapSize))
            if !bitmap.areBitsSet(sectors) {
                find(
                    .corruption, "the map says that block \(block) is full, its bitmap says that it is not",
                    offset: start, by: .all, .batmap)
            }
        }
    }
}
