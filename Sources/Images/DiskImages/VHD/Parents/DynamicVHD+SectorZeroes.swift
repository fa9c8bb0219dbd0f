import BlockIO
import CoreTypes

/// Zeroes in blocks that are partly present: they must hide what the parent holds, and cost nothing where it holds none.
extension DynamicVHD {
    /// True when a flush is due, for the memory.
    func zeroSectors(_ part: Part, _ place: Place, mayUnmap: Bool) throws(BlockError) -> Bool {
        var isDue = false
        let stop = part.within + part.length
        // Parts of sectors are written like any data; at most two, of less than 512 bytes.
        let lower = min((part.within + 511) / 512 * 512, stop)
        let upper = max(stop / 512 * 512, lower)
        let none = AlignedBuffer(count: 512)
        for edge in [part.within..<lower, upper..<stop] where !edge.isEmpty {
            let piece = Part(block: part.block, within: edge.lowerBound, length: UInt64(edge.count))
            if place.start == nil, try parentData(piece).isEmpty { continue }
            // SAFETY: an edge is shorter than a sector.
            isDue =
                try unsafe writeSectors(
                    UnsafeRawBufferPointer(rebasing: none.bytes[..<edge.count]), piece, place) || isDue
        }
        if lower < upper {
            let whole = Part(block: part.block, within: lower, length: upper - lower)
            isDue = try zeroWholeSectors(whole, place, mayUnmap: mayUnmap) || isDue
        }
        return isDue
    }

    private func zeroWholeSectors(_ part: Part, _ place: Place, mayUnmap: Bool) throws(BlockError) -> Bool {
        let stripe = stripes[part.block % stripes.count]
        stripe.lockShared()
        defer { stripe.unlock() }
        let hidden = try parentData(part)
        var start = place.start
        if !place.isPrepared || start == nil {
            // An edge, or another thread, may have made the block meanwhile.
            start = lock.shared { table.start(of: part.block) }
            if start == nil && hidden.isEmpty { return false }
            start = try makeWritable(part.block)
        }
        guard let start else { return false }
        let body = start + bitmapSize
        guard let present = try presentSectors(of: part.block, start: start) else {
            try file.zero(at: body + part.within, length: part.length, mayUnmap: mayUnmap)
            return false
        }
        var isDue = false
        for run in present.runs(Int(part.within / 512)..<Int((part.within + part.length) / 512)) {
            if run.isSet {
                try file.zero(
                    at: body + UInt64(run.bits.lowerBound) * 512, length: UInt64(run.bits.count) * 512,
                    mayUnmap: mayUnmap)
                continue
            }
            for piece in hidden where piece.overlaps(run.bits) {
                let sectors = piece.clamped(to: run.bits)
                // Whatever lies under clear bits becomes zeroes first, then counts.
                try file.zero(
                    at: body + UInt64(sectors.lowerBound) * 512, length: UInt64(sectors.count) * 512, mayUnmap: true)
                isDue = try markPresent(sectors, of: part.block, start: start) || isDue
            }
        }
        return isDue
    }

    /// Gives back the space of the sectors that are present. The others stay as they are, the parent's.
    func discardSectors(_ part: Part, start: UInt64) throws(BlockError) {
        let body = start + bitmapSize
        guard let present = try presentSectors(of: part.block, start: start) else {
            _ = try file.punch(at: body + part.within, length: part.length)
            return
        }
        let stop = part.within + part.length
        for run in present.runs(Int(part.within / 512)..<Int((stop + 511) / 512)) where run.isSet {
            let from = max(UInt64(run.bits.lowerBound) * 512, part.within)
            let to = min(UInt64(run.bits.upperBound) * 512, stop)
            _ = try file.punch(at: body + from, length: to - from)
        }
    }

    /// The sectors of a part, counted from the block's first, in which the parent may hold something else than zeroes.
    private func parentData(_ part: Part) throws(BlockError) -> [Range<Int>] {
        guard let parent else { return [] }
        let origin = UInt64(part.block) * blockSize
        let offset = origin + part.within
        let limit = min(offset + part.length, parent.size)
        if offset >= limit { return [] }
        var found: [Range<Int>] = []
        for extent in try parent.extents(at: offset, length: limit - offset) where extent.kind == .data {
            found.append(Int((extent.offset - origin) / 512)..<Int((extent.end - origin + 511) / 512))
        }
        return found
    }
}
