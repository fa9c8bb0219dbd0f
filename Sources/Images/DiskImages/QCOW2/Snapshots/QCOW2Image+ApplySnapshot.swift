public import BlockIO
internal import Synchronization

extension QCOW2Image {
    /// The disk becomes what the snapshot holds, its size included. Order of writes, with the dirty bit set meanwhile:
    ///
    ///     counts of the snapshot's tree up, new L1 table | header names it, with the size | counts of the old tree down
    ///     | copied bits set
    public func applySnapshot(_ name: String) throws(BlockError) {
        try checkUsable()
        try metadata.locked { () throws(BlockError) in
            let table = try snapshotList.table(of: self)
            let entry = table.entries[try table.index(of: name)]
            let needed = geometry.l1EntriesNeeded(size: entry.diskSize)
            guard entry.diskSize <= UInt64(Int64.max), needed * 8 <= QCOW2Limits.l1Bytes else {
                throw BlockError(
                    .limitExceeded, "the snapshot says that its disk has \(entry.diskSize) bytes", path: storage.path)
            }
            // Bitmaps follow the disk to the snapshot's size, or nothing is done. Before a change begins, which gives up
            // those that cannot be kept.
            let newSize = entry.diskSize & ~511
            if newSize != size { try checkBitmapsResizable(to: newSize) }
            let refcounts = try beginTreeChange()
            var new = try words(of: entry).map { $0 & ~QCOW2Entry.copied }
            // One at least, of a disk of no bytes, too: the table takes a cluster, which only an entry makes its own.
            let count = max(Int(needed), 1)
            if new.count < count { new += [UInt64](repeating: 0, count: count - new.count) }
            try checkApart(l1.words, refcounts)
            try checkRetainable(new, refcounts)
            try whileDirty(refcounts) { () throws(BlockError) in
                try replaceTree(with: new, diskSize: entry.diskSize, refcounts)
            }
        }
    }

    private func replaceTree(
        with new: [UInt64], diskSize: UInt64, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) {
        let old = l1.words
        let oldRun = ClusterRun(
            start: l1.offset >> UInt64(geometry.clusterBits), count: geometry.clusters(UInt64(old.count) * 8))
        let newSize = diskSize & ~511
        // Their bits follow when nothing can fail any more: until then the disk is the old one, and so is what they note.
        if newSize != size { try keepAllBitmapsInMemory() }
        mapping.exclusive { l1.unverifyAll() }

        var run: ClusterRun?
        var isRetained = false
        do throws(BlockError) {
            let place = try allocateTable(new.count * 8, refcounts)
            run = place
            try clearCopied(below: new)
            try retain(new, refcounts)
            isRetained = true
            try storeTable(new, in: place)
            try writeCounts(refcounts)
        } catch {
            if isRetained { try? release(new, refcounts) }
            if let run { try? refcounts.release(run) }
            throw error
        }
        guard let run else { preconditionFailure("the table was allocated") }
        let offset = run.start << UInt64(geometry.clusterBits)
        var fields: [UInt8] = []
        fields.appendBigEndian(diskSize)
        fields.appendBigEndian(header.encryption)
        fields.appendBigEndian(UInt32(new.count))
        fields.appendBigEndian(offset)
        try switchHeader(fields, at: QCOW2Header.Offset.size, refcounts)
        pending?.header.size = diskSize
        pending?.header.l1Entries = UInt32(new.count)
        pending?.header.l1Offset = offset
        mapping.exclusive {
            l1.replace(new, at: offset)
            tables.reset(keyCount: new.count)
            if newSize != size { resizeBits(to: newSize) }
            virtualSize.store(newSize, ordering: .relaxed)
        }
        markAllDirty()
        for cluster in run.start..<run.end { refcounts.structures.insert(cluster) }
        for cluster in oldRun.start..<oldRun.end { refcounts.structures.remove(cluster) }
        try release(old, refcounts)
        try refcounts.release(oldRun)
        for word in new where word != 0 {
            refcounts.structures.insert((word & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits))
        }
        try writeCounts(refcounts)
        try recomputeCopied(refcounts)
    }
}
