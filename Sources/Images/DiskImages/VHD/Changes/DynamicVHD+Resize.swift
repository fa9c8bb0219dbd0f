import BlockIO
import CoreTypes
import Synchronization

/// Another virtual size.
///
/// The footer at the beginning decides which size the disk has: it is one sector, and everything that a size needs is
/// durable before it is written. Larger: room in the table, no stale entries or map bits for the new blocks, zeroes
/// over what would show (the end of the last block, a longer parent); then the footers. Smaller: the footers first;
/// what lies behind is taken apart afterwards, and if a crash prevents that, entries behind the end have no meaning.
extension DynamicVHD: ResizableDevice {
    func resize(to new: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError) {
        try checkWritable()
        let limit = VHDImage.largestSize(blockSize: blockSize)
        guard new % 512 == 0, new <= limit else { throw FormatCapabilities.tooLarge(new, .vhd, limit: limit) }
        if new > size, isDifferencing, preallocation.takesSpace { throw VHDImage.takesSpaceLater }
        try commits.locked { () throws(BlockError) in
            try lock.exclusive { () throws(BlockError) in
                try checkOpen()
                try prepare()
            }
            try commit()
            if new == size {
                // The one of two sizes that was asked for when the image was opened: every reader sees it from now on.
                if footer.virtualSize != new {
                    try endEarlierGrowth()
                    try replaceFooter(footer.with(size: new))
                }
                return
            }
            try endEarlierGrowth()
            if new > size {
                try grow(to: new, preallocation)
            } else {
                // A request under way may have looked up a block that is about to go.
                try alone { () throws(BlockError) in try shrink(to: new) }
            }
        }
    }

    /// What a growth that failed has left: blocks behind the end of the disk in the table. They go, but first both footers
    /// say the size that the disk has, because the one that failed may be in the file; after a crash in between, the
    /// blocks are behind the end and mean nothing.
    private func endEarlierGrowth() throws(BlockError) {
        let blocks = Int(size.dividedRoundingUp(by: blockSize))
        if table.count <= blocks { return }
        try replaceFooter(footer.currentSize == size ? footer : footer.with(size: size))
        lock.exclusive {
            for block in blocks..<table.count where table.start(of: block) != nil { bitmaps.remove(block) }
            table.resize(to: blocks)
            batmap?.resize(to: size)
        }
        try commit()
    }

    private func grow(to new: UInt64, _ preallocation: CreateOptions.Preallocation) throws(BlockError) {
        let old = size
        let takesSpace = preallocation.takesSpace
        let blocks = Int(new.dividedRoundingUp(by: blockSize))
        let isMapLarge = batmap.map { $0.mapSize >= VHDBatmap.neededSize(UInt64(blocks)) } ?? true
        if UInt64(blocks) > header.entryCount || !isMapLarge {
            try alone { () throws(BlockError) in try moveTable(forAtLeast: UInt64(blocks)) }
        }
        let added = table.count..<blocks
        if !added.isEmpty {
            let stored = try storedEntries(added)
            lock.exclusive { table.resize(to: blocks, stored: stored) }
        }
        try lock.exclusive { () throws(BlockError) in
            batmap?.resize(to: new)
            try storeMap((storedMap ?? []).clearingBits(from: added.lowerBound))
        }
        // A part at a time, for the memory.
        var position = old
        while position < new {
            let next = min(new, position + (blockSize << 12))
            _ = try zero(position, next - position, mayUnmap: !takesSpace)
            try commit()
            position = next
        }
        if takesSpace {
            try preallocate(added, written: preallocation == .full)
            try commit()
        }
        try replaceFooter(footer.with(size: new))
        currentSize.store(new, ordering: .releasing)
    }

    private func storedEntries(_ blocks: Range<Int>) throws(BlockError) -> [UInt32] {
        let bytes = try file.array(at: header.tableOffset + UInt64(blocks.lowerBound) * 4, count: blocks.count * 4)
        let fields = BigEndianBytes(bytes)
        return (0..<blocks.count).map { fields.u32(4 * $0) }
    }

    private func shrink(to new: UInt64) throws(BlockError) {
        let blocks = Int(new.dividedRoundingUp(by: blockSize))
        let stride = bitmapSize + blockSize
        try lock.exclusive { () throws(BlockError) in
            try storeMap((storedMap ?? []).clearingBits(from: blocks))
            batmap?.resize(to: new)
        }
        currentSize.store(new, ordering: .releasing)
        try replaceFooter(footer.with(size: new))
        let freed = (blocks..<table.count).compactMap { table.start(of: $0) }
        lock.exclusive {
            for block in blocks..<table.count where table.start(of: block) != nil { bitmaps.remove(block) }
            table.resize(to: blocks)
        }
        try commit()
        // Nothing names the space behind any more.
        if file.isBlockDevice { return }
        let reserved = try VHDLayout.reservedRanges(
            footer: footer, header: header, batmap: batmap, contentEnd: end)
        let floor = reserved.reduce(0) { max($0, $1.upperBound) }
        let newEnd = table.lastEnd(stride: stride, atLeast: floor)
        for start in freed where start < newEnd { _ = try file.punch(at: start, length: stride) }
        if newEnd < end {
            lock.exclusive { end = newEnd }
            try dropStaleEntries(reachingPast: newEnd)
            try file.store(footer.bytes, at: newEnd)
            try file.sync()
            try file.truncate(to: newEnd + UInt64(VHDFooter.size))
        }
        try file.sync()
    }
}

extension VHDImage {
    /// The most bytes that an image with blocks of this size can be enlarged to.
    static func largestSize(blockSize: UInt64) -> UInt64 {
        min(FormatCapabilities.largestVHD, DynamicVHD.mostBlocks * blockSize)
    }
}

extension [UInt8] {
    func clearingBits(from bit: Int) -> [UInt8] {
        var bytes = self
        for index in bytes.indices where index * 8 + 7 >= bit {
            bytes[index] = index * 8 >= bit ? 0 : bytes[index] & ~(0xFF >> UInt8(bit - index * 8))
        }
        return bytes
    }
}
