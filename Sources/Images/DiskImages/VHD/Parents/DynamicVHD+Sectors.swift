import BlockIO
import CoreTypes
import Synchronization

/// Blocks that are partly present: what a sector's bit says is here, the rest is the parent's.
///
/// Bits are only ever set, and in memory only after the data that they cover was written, so a bit seen set stays true.
/// A write of a part of an absent sector must bring the rest from the parent; it holds its stripe's lock exclusively, all
/// other writes to blocks that are not full hold it shared. A full block needs none: no sector of it can be absent, and
/// it was made full by a write that held the stripe.
extension DynamicVHD {
    /// Reads what the parent shows of a range; zeroes behind its end, or without one.
    func readParent(into target: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        var known = 0
        if let parent {
            known = Int(min(UInt64(target.count), parent.size - min(offset, parent.size)))
            // SAFETY: known <= the buffer's count.
            if known > 0 {
                try unsafe parent.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<known]), at: offset)
            }
        }
        if known < target.count {
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[known...])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// Reads a part of a block sector by sector, in runs.
    func readSectors(
        into target: UnsafeMutableRawBufferPointer, _ part: Part, start: UInt64
    ) throws(BlockError) {
        let body = start + bitmapSize
        guard let present = try presentSectors(of: part.block, start: start) else {
            return try unsafe file.read(into: target, at: body + part.within)
        }
        let origin = UInt64(part.block) * blockSize
        var position = part.within
        let stop = part.within + part.length
        while position < stop {
            let sector = Int(position / 512)
            let next = min(UInt64(present.endOfRun(at: sector, limit: Int((stop + 511) / 512))) * 512, stop)
            // SAFETY: position < next <= within + length, and the buffer has `length` bytes.
            let piece = unsafe UnsafeMutableRawBufferPointer(
                rebasing: target[Int(position - part.within)..<Int(next - part.within)])
            if present.isBitSet(sector) {
                try unsafe file.read(into: piece, at: body + position)
            } else {
                try unsafe readParent(into: piece, at: origin + position)
            }
            position = next
        }
    }

    /// The bitmap of a block; nil when all its sectors are present.
    func presentSectors(of block: Int, start: UInt64) throws(BlockError) -> [UInt8]? {
        let (kept, isFull, departures) = lock.shared { (bitmaps[block], table.isFull(block), bitmaps.departures) }
        if isFull { return nil }
        if let kept { return kept }
        var loaded = try file.array(at: start, count: Int(bitmapSize))
        lock.lockExclusive()
        defer { lock.unlock() }
        if table.isFull(block) { return nil }
        if let kept = bitmaps[block] { return kept }
        // Another thread may have changed, written and dropped it meanwhile.
        if departures != bitmaps.departures { loaded = try file.array(at: start, count: Int(bitmapSize)) }
        if loaded.areBitsSet(0..<Int(blockSize / 512)) {
            table.setFull(block)
            return nil
        }
        bitmaps.keep(loaded, of: block)
        return loaded
    }

    /// Notes that sectors are present, after their data were written. True when a flush is due, for the memory.
    func markPresent(_ sectors: Range<Int>, of block: Int, start: UInt64) throws(BlockError) -> Bool {
        lock.lockExclusive()
        defer { lock.unlock() }
        if table.isFull(block) { return false }
        if bitmaps[block] == nil { bitmaps.keep(try file.array(at: start, count: Int(bitmapSize)), of: block) }
        hasUnwrittenTable.store(true, ordering: .releasing)
        if bitmaps.set(sectors, of: block, sectors: Int(blockSize / 512)) { table.setFull(block) }
        return bitmaps.dirty.count >= VHDSectorBitmaps.mostDirty
    }

    /// Writes a part of a block that may lack sectors. True when a flush is due.
    func writeSectors(_ data: UnsafeRawBufferPointer, _ part: Part, _ place: Place) throws(BlockError) -> Bool {
        let isWhole = (part.within | part.length) % 512 == 0
        let stripe = stripes[part.block % stripes.count]
        if isWhole { stripe.lockShared() } else { stripe.lockExclusive() }
        defer { stripe.unlock() }
        let start = try writableStart(part.block, place)
        let body = start + bitmapSize
        guard let present = try presentSectors(of: part.block, start: start) else {
            try unsafe file.write(data, at: body + part.within)
            return false
        }
        var lower = part.within
        var upper = part.within + part.length
        let sectors = Int(lower / 512)..<Int((upper + 511) / 512)
        if !isWhole {
            // The sectors at both ends, where a part of them is written and they are absent.
            for sector in Set([sectors.lowerBound, sectors.upperBound - 1]) where !present.isBitSet(sector) {
                let first = UInt64(sector) * 512
                if first >= part.within && first + 512 <= part.within + part.length { continue }
                let overlap = max(first, lower)..<min(first + 512, upper)
                // SAFETY: the overlap lies in the range of the data.
                try unsafe complete(
                    sector, of: part.block, body: body, at: Int(overlap.lowerBound - first),
                    with: UnsafeRawBufferPointer(
                        rebasing: data[
                            Int(overlap.lowerBound - part.within)..<Int(overlap.upperBound - part.within)]))
                if overlap.lowerBound == lower { lower = overlap.upperBound } else { upper = overlap.lowerBound }
            }
        }
        if lower < upper {
            // SAFETY: a part of the data.
            try unsafe file.write(
                UnsafeRawBufferPointer(rebasing: data[Int(lower - part.within)..<Int(upper - part.within)]),
                at: body + lower)
        }
        if present.areBitsSet(sectors) { return false }
        return try markPresent(sectors, of: part.block, start: start)
    }

    /// Writes an absent sector whole: the parent's bytes with `data` over them from byte `offset` of it on.
    private func complete(
        _ sector: Int, of block: Int, body: UInt64, at offset: Int, with data: UnsafeRawBufferPointer
    ) throws(BlockError) {
        let whole = AlignedBuffer(count: 512)
        try unsafe readParent(into: whole.bytes, at: UInt64(block) * blockSize + UInt64(sector) * 512)
        // SAFETY: offset + the data's count <= 512: they lie in this sector.
        unsafe UnsafeMutableRawBufferPointer(rebasing: whole.bytes[offset...]).copyMemory(from: data)
        try unsafe file.write(UnsafeRawBufferPointer(whole.bytes), at: body + UInt64(sector) * 512)
    }

    private func writableStart(_ block: Int, _ place: Place) throws(BlockError) -> UInt64 {
        if place.isPrepared, let start = place.start { return start }
        return try makeWritable(block)
    }
}
