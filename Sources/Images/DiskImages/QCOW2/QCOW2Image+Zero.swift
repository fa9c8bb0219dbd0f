public import BlockIO
internal import Synchronization

/// Source of zeroes for parts of clusters.
private let zeroes = AlignedBuffer(count: 64 << 10)

extension QCOW2Image {
    /// Version 2 has no zero flag.
    public var canZeroFast: Bool { geometry.version >= 3 }

    /// Whole units get the zero flag: with `mayUnmap` clusters lose their host cluster, otherwise they keep it. Version
    /// 2 has no such flag: there they are unmapped when nothing lies below, or zeroes are written. What reads as zeroes
    /// anyway and hides nothing stays as it is.
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, length)
        if length == 0 { return }
        defer { noteChange(offset, length) }
        try zeroContent(at: offset, length: length, mayUnmap: mayUnmap)
    }

    /// The same within `reach`, which no bitmap has to know of, or which is noted by the caller.
    func zeroContent(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        let end = offset + length
        let whole = wholeUnits(offset, end)
        if whole.isEmpty || (geometry.version < 3 && (!mayUnmap || hasBacking)) {
            return try overwriteWithZeroes(offset, end)
        }
        try overwriteWithZeroes(offset, whole.lowerBound)
        try changeUnits(whole, mayUnmap ? .unmap : .keep)
        if whole.upperBound < end { try overwriteWithZeroes(whole.upperBound, end) }
    }

    /// Unmaps what is stored of the units that lie wholly in the range; they read as zeroes. Everything else stays as it
    /// is, and all of it in version 2 with a backing file, which would show otherwise.
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, length)
        if geometry.version < 3 && hasBacking { return }
        defer { noteChange(offset, length) }
        let whole = wholeUnits(offset, offset + length)
        if !whole.isEmpty { try changeUnits(whole, .discard) }
    }

    private enum Change {
        case unmap
        case keep
        case discard
    }

    /// The units wholly inside a range; those of the last cluster count as whole when all the disk has of them is.
    private func wholeUnits(_ start: UInt64, _ end: UInt64) -> Range<UInt64> {
        // Sizes are below 2^63, so nothing overflows.
        let low = (start + geometry.unitMask) & ~geometry.unitMask
        let high = end == reach ? (end + geometry.clusterMask) & ~geometry.clusterMask : end & ~geometry.unitMask
        return low < min(high, reach) ? low..<high : low..<low
    }

    /// Writes zeroes where something else may be read.
    private func overwriteWithZeroes(_ start: UInt64, _ end: UInt64) throws(BlockError) {
        var position = start
        while position < end {
            let run = try mapping.shared { () throws(BlockError) in try lookup(position, most: end - position) }
            var rest = run.length
            if run.kind == .zero { rest = 0 }
            if run.kind == .hole, try parentIsEmpty(at: position, length: run.length) { rest = 0 }
            var at = position
            while rest > 0 {
                let count = unsafe min(rest, UInt64(zeroes.bytes.count))
                // SAFETY: at most the count of a buffer that lives for ever and is never written.
                try unsafe writeContent(UnsafeRawBufferPointer(rebasing: zeroes.bytes[..<Int(count)]), at: at)
                at += count
                rest -= count
            }
            position += run.length
        }
    }

    /// Changes whole units, a table at a time.
    private func changeUnits(_ range: Range<UInt64>, _ change: Change) throws(BlockError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let index = geometry.l1Index(position)
            let end = min(range.upperBound, (UInt64(index) + 1) * geometry.l2Span)
            var left: [Range<UInt64>] = []
            do throws(BlockError) {
                left = try metadata.locked { () throws(BlockError) in
                    if l1[index] == 0 {
                        // Nothing is stored: there is work only where the zeroes hide something.
                        if change == .discard { return [] }
                        if try parentIsEmpty(at: position, length: min(end, reach) - position) { return [] }
                    }
                    return try changeEntries(index, position..<end, change)
                }
            } catch { throw marked(error) }
            for part in left where change != .discard {
                try overwriteWithZeroes(part.lowerBound, min(part.upperBound, reach))
            }
            position = end
        }
    }

    /// Changes units below one table, with the metadata lock held. Returns the parts of compressed clusters, which only
    /// a write can change.
    private func changeEntries(
        _ index: Int, _ range: Range<UInt64>, _ change: Change
    ) throws(BlockError) -> [Range<UInt64>] {
        let pending = try beginChange()
        if l1[index] == 0 { try addTable(index, pending) }
        let table = try unsafe pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        var left: [Range<UInt64>] = []
        var changed: Range<Int>?
        let first = geometry.l2Index(range.lowerBound)
        let last = geometry.l2Index(range.upperBound - 1)
        for number in first...last {
            let cell = unsafe geometry.cell(table, number)
            let start = UInt64(index) * geometry.l2Span + UInt64(number) * geometry.clusterSize
            let part = max(start, range.lowerBound)..<min(start + geometry.clusterSize, range.upperBound)
            let units = geometry.units(part.lowerBound - start..<part.upperBound - start)
            if cell.isCompressed, units != geometry.allUnits {
                left.append(part)
                continue
            }
            let isChanged = changedCell(cell, units, change) != cell
            if hasExternalData, isChanged || isRawData { try zeroExternal(part, cell, change) }
            guard isChanged else { continue }
            changed = (changed?.lowerBound ?? number)..<number + 1
        }
        guard let changed else { return left }
        mapping.lockExclusive()
        for number in changed {
            let old = unsafe geometry.cell(table, number)
            let start = UInt64(index) * geometry.l2Span + UInt64(number) * geometry.clusterSize
            let part = max(start, range.lowerBound)..<min(start + geometry.clusterSize, range.upperBound)
            let units = geometry.units(part.lowerBound - start..<part.upperBound - start)
            if old.isCompressed && units != geometry.allUnits { continue }
            let new = changedCell(old, units, change)
            if new == old { continue }
            if old.isCompressed {
                pending.free(QCOW2CompressedBlob(entry: old.compressed, geometry).clusters(geometry))
            } else if old.hasHost, !new.hasHost, !hasExternalData {
                pending.free(ClusterRun(start: old.host >> UInt64(geometry.clusterBits), count: 1))
            }
            unsafe geometry.store(new, table, number)
        }
        mapping.unlock()
        tables.markDirty(index, geometry.bytes(ofEntries: changed))
        return left
    }

    /// What an entry becomes when `units` of it are zeroed or discarded; of a compressed cluster all are.
    ///
    /// Beside a raw data file what is mapped stays so, and only the data become zeroes: with a zero flag in between, a
    /// crash could keep a later write of data and lose the entry for it, and the file would be another disk than the
    /// image.
    private func changedCell(_ old: QCOW2Cell, _ wanted: UInt32, _ change: Change) -> QCOW2Cell {
        // Only the flush after the first write through a table finds entries that are not legal: verification did.
        if old.isInvalid { return old }
        // A cluster in parts may be stored in some of them only.
        let units = isRawData ? wanted & ~old.stored : wanted
        if units == 0 { return old }
        var new = old
        let flagged: UInt32
        if old.isCompressed {
            new.dropHost()
            flagged = units
        } else {
            // Without a backing file what is not stored reads as zeroes already.
            let bare = units & ~(old.stored | old.zero)
            flagged = units & old.stored | (change == .discard || !hasBacking ? 0 : bare)
            new.stored &= ~units
        }
        if geometry.version >= 3 { new.zero |= flagged }
        let keepsHost = isRawData || (change == .keep && (old.copied || geometry.hasExtendedL2) && units != 0)
        if new.hasHost, !keepsHost, new.stored == 0, geometry.hasExtendedL2 || units != 0 { new.dropHost() }
        return new
    }

    /// Zeroes what an external data file holds of a range that will read as zeroes. It may happen first: whether the
    /// entry or the content says so makes no difference to a reader.
    private func zeroExternal(_ part: Range<UInt64>, _ cell: QCOW2Cell, _ change: Change) throws(BlockError) {
        let end = min(part.upperBound, reach)
        guard cell.hasHost, part.lowerBound < end else { return }
        try data.zero(at: part.lowerBound, length: end - part.lowerBound, mayUnmap: change != .keep)
    }
}
