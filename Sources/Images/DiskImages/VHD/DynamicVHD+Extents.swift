import BlockIO
import CoreTypes

/// The extent map: what is stored in this image has depth 0, sector by sector; what its parent shows is one deeper than
/// the parent says.
extension DynamicVHD {
    /// Bounded work per call where something is stored: each run asks the file system.
    private static let runsPerCall = 1024

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRange(offset, length)
        var position = offset
        let stop = offset + length
        var runs = 0
        while position < stop, runs < Self.runsPerCall {
            let part = part(position, stop - position)
            let place = try enter(part.block)
            defer { leave() }
            if let start = place.start {
                runs += try appendStored(to: &extents, part, place, at: position, start: start)
                position = extents.last?.end ?? stop
            } else {
                let blocks = lock.shared { table.unallocatedRun(from: part.block) }
                let next = min(UInt64(blocks.upperBound) * blockSize, stop)
                runs += try appendParent(to: &extents, position..<next)
                position = extents.last?.end ?? stop
            }
        }
    }

    /// Appends extents of a part of a stored block, at least one; returns how many.
    private func appendStored(
        to extents: inout [Extent], _ part: Part, _ place: Place, at offset: UInt64, start: UInt64
    ) throws(BlockError) -> Int {
        // The block's first byte in the file, and on the device.
        let body = start + bitmapSize
        let origin = offset - part.within
        let stop = part.within + part.length
        var present: [UInt8]?
        if isDifferencing && !place.isFull { present = try presentSectors(of: part.block, start: start) }
        guard let present else {
            _ = try appendOwn(to: &extents, part.within..<stop, body: body, origin: origin)
            return 1
        }
        var position = part.within
        var runs = 0
        while position < stop {
            let sector = Int(position / 512)
            let next = min(UInt64(present.endOfRun(at: sector, limit: Int((stop + 511) / 512))) * 512, stop)
            if present.isBitSet(sector) {
                while position < next {
                    position += try appendOwn(to: &extents, position..<next, body: body, origin: origin)
                    runs += 1
                }
            } else {
                runs += try appendParent(to: &extents, origin + position..<origin + next)
                // The parent may have stopped early, and the caller goes on from there.
                if extents.last?.end != origin + next { return runs }
                position = next
            }
        }
        return runs
    }

    /// Appends one extent of bytes stored here, which lie in `range` of their block; returns its length.
    private func appendOwn(
        to extents: inout [Extent], _ range: Range<UInt64>, body: UInt64, origin: UInt64
    ) throws(BlockError) -> UInt64 {
        let length = range.upperBound - range.lowerBound
        let at = body + range.lowerBound
        let run = try file.run(at: at, end: at + length)
        // Whole sectors, where the file ends inside one.
        let count = run.isData ? min((run.end - at).roundedUp(to: 512) ?? length, length) : run.end - at
        extents.appendJoining(
            Extent(offset: origin + range.lowerBound, length: count, kind: run.isData ? .data : .zero))
        return count
    }

    /// Appends what the parent says of a range, at least one extent of it; returns how many.
    private func appendParent(to extents: inout [Extent], _ range: Range<UInt64>) throws(BlockError) -> Int {
        let known = min(range.upperBound, parent?.size ?? 0)
        guard let parent, range.lowerBound < known else {
            extents.appendJoining(Extent(offset: range.lowerBound, length: UInt64(range.count), kind: .hole))
            return 1
        }
        var found: [Extent] = []
        try parent.appendExtents(to: &found, at: range.lowerBound, length: known - range.lowerBound)
        for var extent in found {
            if extent.kind != .hole { extent.depth += 1 }
            extents.appendJoining(extent)
        }
        if extents.last?.end == known && known < range.upperBound {
            extents.appendJoining(Extent(offset: known, length: range.upperBound - known, kind: .hole))
        }
        return found.count
    }
}
