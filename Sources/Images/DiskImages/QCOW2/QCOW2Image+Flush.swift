public import BlockIO
internal import Synchronization

/// Making changes durable, in the order that leaves leaks at worst:
///
///     refcount blocks, data | entries of new blocks | L2 tables | L1 entries of new tables | counts of freed clusters
///
/// Each bar is a barrier, left out when nothing of what follows it depends on what precedes it.
extension QCOW2Image {
    public func flush() throws(BlockError) {
        try checkUsable()
        if isReadOnly { return }
        guard hasPendingMetadata.load(ordering: .acquiring) else { return try syncFiles() }
        // Much data goes to the disk before the lock is taken, which every write that allocates waits for. Nothing relies on
        // this barrier: those below come all the same, and find little to do.
        if unsyncedBytes.load(ordering: .relaxed) >= Self.muchUnsynced {
            unsyncedBytes.store(0, ordering: .relaxed)
            try syncFiles()
        }
        metadata.lock()
        defer { metadata.unlock() }
        try flushMetadata()
    }

    public func writeBack(unless isOver: () -> Bool) throws(BlockError) {
        try checkUsable()
        if hasExternalData { try data.writeBack(unless: isOver) }
        try storage.writeBack(unless: isOver)
    }

    /// Bytes that are worth a barrier more.
    static var muchUnsynced: UInt64 { 1 << 20 }

    /// With the metadata lock held. Reads and writes in place go on meanwhile. What fails stays pending.
    /// - Parameter isLast: lazily kept refcounts are written too.
    func flushMetadata(isLast: Bool = false) throws(BlockError) {
        guard let pending else { return }
        let refcounts = pending.refcounts
        if let failure = refcounts.failure { throw failure }
        // After a contradiction no metadata is written any more, so what is pending cannot become durable.
        try checkWritable()
        let isLazy = pending.isDirty && !isLast
        if !isLazy { try refcounts.writeBlocks() }
        if !isLazy, !refcounts.unwrittenEntries.isEmpty {
            try storage.sync()
            try refcounts.writeEntries()
            pending.needsDataBarrier = true
        }
        if tables.dirtyCount > 0 {
            try reachEnd(pending)
            if pending.needsDataBarrier { try syncFiles() }
            try writeBackTables()
        }
        if !pending.l1Entries.isEmpty {
            try storage.sync()
            try storeL1Entries(pending.l1Entries.sorted())
        }
        try syncFiles()
        pending.needsDataBarrier = false
        pending.l1Entries.removeAll(keepingCapacity: true)
        hasUnwrittenMapping.store(false, ordering: .releasing)
        try releaseFreed(pending)
    }

    /// The writes of a flush, in its order, without its barriers. What a later flush frees stays as it is, and that flush has a
    /// barrier for all.
    public func writeOut() throws(BlockError) -> Bool {
        try checkUsable()
        guard hasUnwrittenMapping.load(ordering: .acquiring) else { return true }
        metadata.lock()
        defer { metadata.unlock() }
        guard let pending else { return true }
        if let failure = pending.refcounts.failure { throw failure }
        try checkWritable()
        if !pending.isDirty {
            try pending.refcounts.writeBlocks()
            try pending.refcounts.writeEntries()
        }
        if tables.dirtyCount > 0 {
            try reachEnd(pending)
            try writeBackTables()
        }
        try storeL1Entries(pending.l1Entries.sorted())
        pending.l1Entries.removeAll(keepingCapacity: true)
        pending.needsDataBarrier = true
        hasUnwrittenMapping.store(false, ordering: .releasing)
        return true
    }

    private func writeBackTables() throws(BlockError) {
        try unsafe tables.writeBack { (index, bytes, at) throws(BlockError) in
            try unsafe storage.write(bytes, at: (l1[index] & QCOW2Entry.offsetMask) + UInt64(at))
        }
    }

    /// Makes the file reach into the last cluster that an entry names: whoever left zeroes out of new clusters may have
    /// written nothing so far behind, and an entry that names a cluster past the end of the file is damage. The next
    /// barrier makes it durable. Clusters that were given away for a write that failed do not count: where the file may not
    /// become that long, what is named goes to the disk all the same. Nobody writes behind the new end meanwhile: what is
    /// filled without the metadata lock (`placements`) lies before it, and all else is written with that lock held.
    private func reachEnd(_ pending: QCOW2PendingChanges) throws(BlockError) {
        try reach(pending.namedEnd, pending)
    }

    /// The same for clusters up to `wanted`, given away before.
    func reach(_ wanted: UInt64, _ pending: QCOW2PendingChanges) throws(BlockError) {
        if storage.isBlockDevice { return }
        let given = pending.refcounts.blankFrom << UInt64(geometry.clusterBits)
        let end = pending.placements > 0 ? given : min(given, wanted)
        guard try storage.size() + geometry.clusterSize <= end else { return }
        try storage.truncate(to: end)
        pending.needsDataBarrier = true
    }

    /// Neighbours together: each entry is whole by itself, whatever a crash leaves of them.
    private func storeL1Entries(_ indices: [Int]) throws(BlockError) {
        var bytes: [UInt8] = []
        for (number, index) in indices.enumerated() {
            bytes.appendBigEndian(l1[index])
            if number + 1 < indices.count, indices[number + 1] == index + 1 { continue }
            try storage.store(bytes, at: l1.offset + UInt64(index + 1) * 8 - UInt64(bytes.count))
            bytes.removeAll(keepingCapacity: true)
        }
    }

    /// A barrier for data and metadata.
    func syncFiles() throws(BlockError) {
        if hasExternalData { try data.sync() }
        try storage.sync()
    }

    /// Frees what no durable table refers to any more. The lowered counts reach the file with the next flush.
    private func releaseFreed(_ pending: QCOW2PendingChanges) throws(BlockError) {
        let refcounts = pending.refcounts
        pending.frees += refcounts.outgrown
        refcounts.outgrown.removeAll()
        while let run = pending.frees.popLast() {
            do throws(BlockError) {
                try refcounts.release(run)
            } catch {
                // Parts of the run may be released already; the rest is leaked, which a repair finds.
                throw error
            }
        }
        while let table = pending.freedTables.popLast() {
            // With another reference, a snapshot's, it stays a structure of the image.
            if try refcounts.count(table) <= 1 { refcounts.structures.remove(table) }
            try refcounts.release(ClusterRun(start: table, count: 1))
        }
        if refcounts.blocks.dirtyCount == 0 || pending.isDirty { hasPendingMetadata.store(false, ordering: .releasing) }
    }

    /// The last flush: also writes the counts of what the flush itself freed.
    func closeMetadata() throws(BlockError) {
        try flushMetadata(isLast: true)
        storeBitmaps()
        if let pending {
            if pending.refcounts.blocks.dirtyCount > 0 { try flushMetadata(isLast: true) }
            if pending.mustSettle { try settleCounts(pending.refcounts) }
            try clearDirty(pending)
        }
    }
}
