public import BlockIO
internal import Synchronization

/// Another virtual size. Order of writes, with a barrier at each bar:
///
///     grow: longer L1 table, counts | header names it | zeroes over what would show, preallocation | size in the header
///     shrink: L2 entries behind the end emptied | size in the header | L1 entries | counts | L1 length | file shorter
///
/// Bitmaps are marked as in use before all of this and stored, with tables for the new size, when the image is closed.
///
/// A crash in between leaves the old size or the new one, and at worst leaks; the part that a shrink gives up may read as
/// zeroes before it is gone. Above a backing file it says so in zero flags, or else the backing file would show; version
/// 2, which has none, gets the new size before anything, and so does an image beside a raw data file, which may be longer
/// than the disk then, but never another one.
extension QCOW2Image: ResizableDevice {
    /// Growing goes along with requests; one resize at a time.
    /// - Throws: `.limitExceeded` above what the clusters can map, or when the bitmaps would take too much memory;
    ///   `.unsupported` where snapshots (version 2) or bitmaps of unknown kinds forbid it, and for growing over a
    ///   backing file that is not open.
    public func resize(to size: UInt64, preallocation: CreateOptions.Preallocation) throws(BlockError) {
        try checkWritable()
        try resizing.locked { () throws(BlockError) in
            do throws(BlockError) {
                try checkResizable(to: size)
                if size > self.size {
                    try grow(to: size, preallocation)
                } else if size < self.size {
                    try metadata.locked { () throws(BlockError) in
                        let old = self.size
                        do throws(BlockError) {
                            try shrink(to: size)
                        } catch {
                            // What was to be given up may read as zeroes already.
                            if self.size == old { mapping.exclusive { bitmapStore.note(size, old - size) } }
                            throw error
                        }
                    }
                    try truncateData(to: size)
                }
            } catch { throw marked(error) }
        }
    }

    private func checkResizable(to size: UInt64) throws(BlockError) {
        let most = QCOW2Limits.virtualSize(
            clusterBits: geometry.clusterBits, hasExtendedL2: geometry.hasExtendedL2)
        guard size <= min(most, FormatCapabilities.largestRaw), size & 511 == 0 else {
            throw BlockError(
                .limitExceeded,
                "clusters of \(geometry.clusterSize) bytes allow a virtual size of \(most) bytes at most, in sectors",
                path: storage.path)
        }
        guard let header = metadata.locked({ pending?.header }) else { return }
        if header.snapshotCount > 0 && header.version < 3 {
            throw BlockError(
                .unsupported,
                "the image is of version 2 and has \(header.snapshotCount) snapshots, whose size it cannot keep; "
                    + "delete them first", path: storage.path)
        }
        try metadata.locked { () throws(BlockError) in try checkBitmapsResizable(to: size) }
        if size > self.size, hasBacking, parent == nil {
            throw BlockError(
                .unsupported, "the backing file, which may be longer than the disk, must be open to enlarge it",
                path: storage.path)
        }
    }

    private func grow(to size: UInt64, _ preallocation: CreateOptions.Preallocation) throws(BlockError) {
        let old = self.size
        try metadata.locked { () throws(BlockError) in
            let pending = try beginChange()
            try flushMetadata()
            hasPendingMetadata.store(true, ordering: .releasing)
            try keepAllBitmapsInMemory()
            try growL1(to: Int(geometry.l1EntriesNeeded(size: size)), pending)
        }
        try truncateData(to: size)
        growing.store(size, ordering: .relaxed)
        defer { growing.store(0, ordering: .relaxed) }
        do throws(BlockError) {
            try fillAndPublish(old..<size, preallocation)
        } catch {
            // What was mapped behind the end of the disk would keep its space until somebody resizes the disk again.
            growing.store(0, ordering: .relaxed)
            if error.code != .corrupt { try? giveUpGrowth(old..<size) }
            throw error
        }
    }

    private func fillAndPublish(
        _ range: Range<UInt64>, _ preallocation: CreateOptions.Preallocation
    ) throws(BlockError) {
        let (old, size) = (range.lowerBound, range.upperBound)
        // Behind the old end there may be data of a longer backing file, of the last cluster, or of saved states.
        try zeroContent(at: old, length: size - old, mayUnmap: true)
        try preallocate(old..<size, preallocation)
        try metadata.locked { () throws(BlockError) in
            let pending = try beginChange()
            try flushMetadata()
            var fields: [UInt8] = []
            fields.appendBigEndian(size)
            try switchHeader(fields, at: QCOW2Header.Offset.size, pending.refcounts)
            pending.header.size = size
            mapping.exclusive {
                resizeBits(to: size)
                // At last: who sees it may write there at once, and that must be noted, and kept.
                virtualSize.store(size, ordering: .relaxed)
            }
        }
    }

    /// Frees what a growth that failed has mapped behind the end of the disk; requests on the disk may go on. A crash in
    /// between leaves some of it mapped, which nobody sees. An external data file stays as it is.
    private func giveUpGrowth(_ range: Range<UInt64>) throws(BlockError) {
        if hasExternalData { return }
        try metadata.locked { () throws(BlockError) in
            let pending = try beginChange()
            guard pending.header.size & ~511 == range.lowerBound else { return }
            let first = (range.lowerBound + geometry.clusterMask) & ~geometry.clusterMask
            // Only tables through which something was changed.
            for index in geometry.l1Index(first)..<max(geometry.l1Index(first), l1.count)
            where UInt64(index) * geometry.l2Span < range.upperBound && l1[index] != 0 && l1.isVerified(index) {
                let isPartial = first > UInt64(index) * geometry.l2Span
                try dropEntries(index, from: isPartial ? geometry.l2Index(first) : 0, pending)
            }
            try flushMetadata()
            try flushMetadata(isLast: true)
        }
    }

    private func growL1(to count: Int, _ pending: QCOW2PendingChanges) throws(BlockError) {
        guard count > l1.count else { return }
        let refcounts = pending.refcounts
        let bits = UInt64(geometry.clusterBits)
        let words = l1.words + [UInt64](repeating: 0, count: count - l1.count)
        let old = ClusterRun(start: l1.offset >> bits, count: geometry.clusters(UInt64(l1.count) * 8))
        let run = try allocateTable(count * 8, refcounts)
        do throws(BlockError) {
            try storeTable(words, in: run)
            try writeCounts(refcounts)
        } catch {
            try? refcounts.release(run)
            throw error
        }
        let offset = run.start << bits
        var fields: [UInt8] = []
        fields.appendBigEndian(UInt32(count))
        fields.appendBigEndian(offset)
        try switchHeader(fields, at: QCOW2Header.Offset.l1Table, refcounts)
        pending.header.l1Entries = UInt32(count)
        pending.header.l1Offset = offset
        mapping.exclusive {
            l1.replace(words, at: offset)
            tables.lock.locked { tables.growKeys(to: count) }
        }
        for cluster in run.start..<run.end { refcounts.structures.insert(cluster) }
        for cluster in old.start..<old.end { refcounts.structures.remove(cluster) }
        try refcounts.release(old)
    }

    private func truncateData(to size: UInt64) throws(BlockError) {
        guard hasExternalData, !data.isBlockDevice else { return }
        let now = try data.size()
        if isRawData ? now != size : now > size { try data.truncate(to: size) }
    }

    /// With the metadata lock held.
    private func shrink(to size: UInt64) throws(BlockError) {
        let pending = try beginChange()
        let refcounts = pending.refcounts
        try flushMetadata()
        try keepAllBitmapsInMemory()
        let keptEntries = Int(geometry.l1EntriesNeeded(size: size))
        let firstDropped = (size + geometry.clusterMask) & ~geometry.clusterMask
        if isRawData || (hasBacking && geometry.version < 3) { try storeSize(size, pending) }
        for index in geometry.l1Index(firstDropped)..<max(geometry.l1Index(firstDropped), l1.count)
        where l1[index] != 0 {
            let isPartial = firstDropped > UInt64(index) * geometry.l2Span
            try dropEntries(index, from: isPartial ? geometry.l2Index(firstDropped) : 0, pending)
        }
        // Tables are emptied before their L1 entries go, which are written where they are; and these hide the backing
        // file while the header has the old size.
        try flushMetadata()
        if pending.header.size != size { try storeSize(size, pending) }
        for index in min(keptEntries, l1.count)..<l1.count where l1[index] != 0 {
            pending.freedTables.append((l1[index] & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits))
            pending.l1Entries.append(index)
            mapping.exclusive { l1[index] = 0 }
        }
        try flushMetadata()
        try flushMetadata(isLast: true)
        let bits = UInt64(geometry.clusterBits)
        let oldRun = ClusterRun(start: l1.offset >> bits, count: geometry.clusters(UInt64(l1.count) * 8))
        // A table of no entries keeps its first cluster.
        let kept = max(min(1, oldRun.count), geometry.clusters(UInt64(keptEntries) * 8))
        let entries = max(keptEntries, min(1, l1.count))
        var fields: [UInt8] = []
        fields.appendBigEndian(UInt32(entries))
        fields.appendBigEndian(l1.offset)
        try switchHeader(fields, at: QCOW2Header.Offset.l1Table, refcounts)
        pending.header.l1Entries = UInt32(entries)
        let words = Array(l1.words.prefix(entries))
        mapping.exclusive {
            l1.replace(words, at: l1.offset)
            tables.reset(keyCount: words.count)
        }
        let tail = ClusterRun(start: oldRun.start + kept, count: oldRun.count - kept)
        for cluster in tail.start..<tail.end { refcounts.structures.remove(cluster) }
        try refcounts.release(tail)
        hasPendingMetadata.store(true, ordering: .releasing)
        try flushMetadata(isLast: true)
        if storage.isBlockDevice { return }
        if let end = try refcounts.cutEnd() {
            try storage.truncate(to: end << bits)
            fileEnd.store(end << bits, ordering: .relaxed)
            pending.namedEnd = min(pending.namedEnd, end << bits)
            try storage.sync()
        }
    }

    /// The header gets another size, and so has the disk.
    private func storeSize(_ size: UInt64, _ pending: QCOW2PendingChanges) throws(BlockError) {
        var fields: [UInt8] = []
        fields.appendBigEndian(size)
        try switchHeader(fields, at: QCOW2Header.Offset.size, pending.refcounts)
        pending.header.size = size
        mapping.exclusive {
            virtualSize.store(size, ordering: .relaxed)
            resizeBits(to: size)
        }
    }

    /// Takes the entries from number `first` on out of a table; none of them shows the backing file then.
    private func dropEntries(_ index: Int, from first: Int, _ pending: QCOW2PendingChanges) throws(BlockError) {
        let table = try unsafe pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        var empty = QCOW2Cell()
        if hasBacking, geometry.version >= 3 { empty.zero = geometry.allUnits }
        var low = Int.max
        var high = 0
        for number in first..<geometry.l2Entries {
            let cell = unsafe geometry.cell(table, number)
            if cell == QCOW2Cell() || cell == empty { continue }
            low = min(low, number)
            high = number + 1
            if cell.isCompressed {
                pending.free(QCOW2CompressedBlob(entry: cell.compressed, geometry).clusters(geometry))
            } else if cell.hasHost, !hasExternalData {
                pending.free(ClusterRun(start: cell.host >> UInt64(geometry.clusterBits), count: 1))
            }
        }
        guard low < high else { return }
        mapping.exclusive { for number in low..<high { unsafe geometry.store(empty, table, number) } }
        tables.markDirty(index, geometry.bytes(ofEntries: low..<high))
        // A table cache of small tables fills up.
        if tables.dirtyCount >= tables.capacity / 2 { try flushMetadata() }
    }
}
