import BlockIO
import CoreTypes

// What of a copy need not be written, because the destination reads as zeroes there already: `MirrorDevice.blank`.
extension MirrorCopier {
    /// What is left out: the pages of a file system, where the destination has no larger blocks of its own.
    private static let page: UInt64 = 4096
    /// Answers of the destination's map for one dirty run: one that tells little at a time is not asked for ever.
    private static let mostLooks = 256

    /// Notes, once for each place and before anything is copied there, where the destination reads as zeroes. `asked`: up to
    /// where that was done. With what hands out pieces held, so that none is handed out behind `asked` meanwhile. False, and
    /// nothing done, while the destination is being exchanged.
    ///
    /// Only what was dirty before the question is believed: guests' writes go to clean granules alone, so nobody but the
    /// copier changes the destination there, and it has not yet. That holds of a mirror that began with nothing clean: in one that
    /// goes on where another process left it nothing is asked.
    func lookForBlanks(in run: Range<UInt64>, _ asked: inout UInt64) -> Bool {
        if run.upperBound <= asked { return true }
        let window = max(asked, run.lowerBound)..<run.upperBound
        guard mirror.pieces.add(window) else { return false }
        defer { _ = mirror.pieces.remove(window) }
        asked = run.upperBound
        var part: [Extent] = []
        var position = window.lowerBound
        for _ in 0..<Self.mostLooks where position < window.upperBound {
            part.removeAll(keepingCapacity: true)
            // What it does not tell is written.
            guard
                (try? mirror.destination.appendExtents(to: &part, at: position, length: window.upperBound - position))
                    != nil, let last = part.last, last.end > position
            else { break }
            for extent in part where extent.kind != .data {
                noteBlank(extent.offset..<min(extent.end, window.upperBound))
            }
            position = last.end
        }
        return true
    }

    /// Whole granules only; the device's last may be short.
    private func noteBlank(_ range: Range<UInt64>) {
        let granule = mirror.dirty.granule
        let first = range.lowerBound.roundedUp(to: granule) ?? range.upperBound
        let end = range.upperBound >= mirror.dirty.size ? range.upperBound : range.upperBound.roundedDown(to: granule)
        if first < end { mirror.blank.mark(first, end - first) }
    }

    /// Calls `body` with each part of the range and whether it is blank. It no longer is then, whatever becomes of it.
    private func inParts(
        of range: Range<UInt64>, _ body: (Range<UInt64>, Bool) throws(BlockError) -> Void
    ) throws(BlockError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let run = mirror.blank.run(at: position, end: range.upperBound)
            if run.dirty { mirror.blank.clear(position, run.end - position) }
            try body(position..<run.end, run.dirty)
            position = run.end
        }
    }

    /// Makes the destination read as zeroes.
    func storeZeroes(_ range: Range<UInt64>) throws(BlockError) {
        try inParts(of: range) { (part, isBlank) throws(BlockError) in
            if !isBlank { try writeZeroes(at: part.lowerBound, part.upperBound - part.lowerBound, nil) }
        }
    }

    /// Makes the destination hold `bytes`, those of the piece: granules of zeroes as zeroes, the rest in as few writes as
    /// possible, and no zeroes where it is blank.
    func store(
        _ bytes: UnsafeRawBufferPointer, of piece: Range<UInt64>, within patience: Patience?
    ) throws(BlockError) {
        let granule = mirror.dirty.granule
        // A peer's blocks are written whole.
        let finest = isLocal ? Self.page : min(granule, max(Self.page, mirror.destination.preferredAlignment))
        try inParts(of: piece) { (part, isBlank) throws(BlockError) in
            let (low, high) = (Int(part.lowerBound - piece.lowerBound), Int(part.upperBound - piece.lowerBound))
            // SAFETY: the part lies inside the piece, whose bytes these are.
            let content = unsafe UnsafeRawBufferPointer(rebasing: bytes[low..<high])
            if isBlank, !isLocal, patience == nil {
                return try unsafe storeTogether(content, at: part.lowerBound, finest)
            }
            let unit = isBlank ? finest : granule
            _ = try unsafe forEachRun(of: content, at: part.lowerBound, granule: unit) {
                (run, isZero, start) throws(BlockError) in
                let offset = part.lowerBound + UInt64(start)
                if isZero {
                    if !isBlank { try writeZeroes(at: offset, UInt64(run.count), patience) }
                } else if let patience {
                    try unsafe mirror.destination.write(run, at: offset, within: patience)
                } else {
                    try unsafe mirror.destination.write(run, at: offset)
                }
            }
        }
    }

    /// Where a peer's blank is: all that is not zero goes to it for one way there and back, however many runs it is.
    private func storeTogether(
        _ content: UnsafeRawBufferPointer, at offset: UInt64, _ unit: UInt64
    ) throws(BlockError) {
        var runs: [Range<Int>] = []
        _ = try unsafe forEachRun(of: content, at: offset, granule: unit) { (run, isZero, start) throws(BlockError) in
            if !isZero { runs.append(start..<start + run.count) }
        }
        if !runs.isEmpty { try unsafe mirror.destination.write(parts: runs, of: content, at: offset) }
    }

    private func writeZeroes(at offset: UInt64, _ length: UInt64, _ patience: Patience?) throws(BlockError) {
        if let patience {
            try mirror.destination.writeZeroes(at: offset, length: length, mayUnmap: true, within: patience)
        } else {
            try mirror.destination.writeZeroes(at: offset, length: length, mayUnmap: true)
        }
    }
}
