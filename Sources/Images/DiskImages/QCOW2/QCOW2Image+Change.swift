internal import BlockIO
internal import CoreTypes
internal import Synchronization

/// What every change of the mapping begins with. All with the metadata lock held.
extension QCOW2Image {
    /// Prepares for one change: clears autoclear bits before the first, keeps half of the L2 cache clean, and notes
    /// that a flush has work.
    func beginChange() throws(BlockError) -> QCOW2PendingChanges {
        try checkWritable()
        guard let pending else { throw BlockError(.readOnly, "the image was opened read-only", path: storage.path) }
        if let failure = pending.refcounts.failure { throw failure }
        if pending.mustGuardSnapshots { try guardSnapshots(pending) }
        if pending.mustClearAutoclear {
            pending.header.autoclear &= maintainedAutoclear(pending.header)
            var bits: [UInt8] = []
            bits.appendBigEndian(pending.header.autoclear)
            try storage.store(bits, at: QCOW2Header.Offset.autoclear)
            try storage.sync()
            pending.mustClearAutoclear = false
        }
        try markDirty(pending)
        if bitmapStore.mustMark { try markBitmaps() }
        if tables.dirtyCount >= tables.capacity / 2 || pending.frees.count >= 16384 { try flushMetadata() }
        // After that flush, which may have left nothing pending: this change is.
        hasPendingMetadata.store(true, ordering: .releasing)
        hasUnwrittenMapping.store(true, ordering: .releasing)
        return pending
    }

    /// Before the first change of a session: what a snapshot refers to is counted as often as it is referred to. Where it is not,
    /// a cluster of the snapshot seems to be the disk's alone, or free, and would be written over: nothing is written, as
    /// after any contradiction. Reads all L2 tables once, as a check does; images with internal snapshots only.
    private func guardSnapshots(_ pending: QCOW2PendingChanges) throws(BlockError) {
        let checker = try QCOW2Checker(storage: storage, mode: .guardSnapshots, cancellation: CancellationFlag())
        var found: UInt64?
        try checker.run { (checker) throws(BlockError) in
            if found == nil { found = try checker.firstUncounted() }
        }
        if let found {
            throw marked(contradiction("a snapshot has a cluster whose refcount is lower than its references", found))
        }
        pending.mustGuardSnapshots = false
    }

    /// Makes an empty L2 table for L1 entry `index`. The entry goes to the file in the next flush.
    func addTable(_ index: Int, _ pending: QCOW2PendingChanges) throws(BlockError) {
        let table = unsafe try tables.pin(index) { (_) throws(BlockError) in }
        defer { tables.unpin(index) }
        unsafe _ = table.initializeMemory(as: UInt8.self, repeating: 0)
        let cluster = try unsafe clusterForTable(table, pending)
        let offset = cluster << UInt64(geometry.clusterBits)
        tables.markDirty(index, 0..<geometry.clusterBytes)
        pending.refcounts.structures.insert(cluster)
        pending.l1Entries.append(index)
        pending.needsDataBarrier = true
        extendFile(to: offset + geometry.clusterSize)
        mapping.exclusive {
            l1[index] = offset | QCOW2Entry.copied
            l1.setVerified(index)
        }
    }

    /// A new cluster that holds what an L2 table has now. Stored at once, though nothing refers to it before the next flush and
    /// that stores the table again: where there is no room, the change that needs the table fails and leaves nothing behind,
    /// and not all flushes from then on.
    private func clusterForTable(
        _ table: UnsafeMutableRawBufferPointer, _ pending: QCOW2PendingChanges
    ) throws(BlockError) -> UInt64 {
        let run = try pending.refcounts.allocate(upTo: 1).run
        do throws(BlockError) {
            try unsafe storage.write(UnsafeRawBufferPointer(table), at: run.start << UInt64(geometry.clusterBits))
        } catch {
            try? pending.refcounts.release(run)
            throw error
        }
        return run.start
    }

    /// Examines a table before the first write through it: no entry may point to a structure of the image, and what
    /// says that it may be written in place must have exactly one reference.
    func verify(
        _ index: Int, _ table: UnsafeMutableRawBufferPointer, _ pending: QCOW2PendingChanges
    ) throws(BlockError) {
        if l1.isVerified(index) { return }
        if l1[index] & QCOW2Entry.copied == 0 { try unsafe copyTable(index, table, pending) }
        let refcounts = pending.refcounts
        let cluster = (l1[index] & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)
        let tableCount = try refcounts.count(cluster)
        guard l1[index] & QCOW2Entry.copied != 0, tableCount == 1, !pending.contested.contains(cluster) else {
            throw contradiction("an L2 table has \(tableCount) references, or is claimed by something else", cluster)
        }
        for number in 0..<geometry.l2Entries {
            let cell = unsafe geometry.cell(table, number)
            if cell.isInvalid { throw contradiction("an L2 entry is not legal", cluster) }
            let run: ClusterRun
            if cell.isCompressed {
                run = QCOW2CompressedBlob(entry: cell.compressed, geometry).clusters(geometry)
            } else if cell.hasHost, !hasExternalData {
                run = ClusterRun(start: cell.host >> UInt64(geometry.clusterBits), count: 1)
            } else {
                continue
            }
            for target in run.start..<run.end {
                guard target != 0, !refcounts.structures.contains(target) else {
                    throw contradiction("an L2 entry points to a structure of the image", target)
                }
                let count = try refcounts.count(target)
                guard cell.copied ? count == 1 : count >= 1 else {
                    throw contradiction("a data cluster's refcount \(count) contradicts the L2 entry", target)
                }
            }
        }
        mapping.exclusive { l1.setVerified(index) }
    }

    /// Gives L1 entry `index` an L2 table of its own, with the content of the one it has shared; what the table names
    /// is counted for both already.
    private func copyTable(
        _ index: Int, _ table: UnsafeMutableRawBufferPointer, _ pending: QCOW2PendingChanges
    ) throws(BlockError) {
        let refcounts = pending.refcounts
        let old = (l1[index] & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)
        let count = try refcounts.count(old)
        guard count >= 1, !pending.contested.contains(old) else {
            throw contradiction("an L2 table has \(count) references, or is claimed by something else", old)
        }
        let cluster = try unsafe clusterForTable(table, pending)
        let offset = cluster << UInt64(geometry.clusterBits)
        refcounts.structures.insert(cluster)
        tables.markDirty(index, 0..<geometry.clusterBytes)
        pending.l1Entries.append(index)
        pending.freedTables.append(old)
        pending.needsDataBarrier = true
        extendFile(to: offset + geometry.clusterSize)
        mapping.exclusive { l1[index] = offset | QCOW2Entry.copied }
    }

    private func contradiction(_ what: String, _ cluster: UInt64) -> BlockError {
        BlockError(
            .corrupt, "\(what); nothing is written any more, repair the image",
            path: storage.path, offset: cluster << UInt64(geometry.clusterBits))
    }

    /// What a change failed with. A contradiction in the image stops all writes, and its header says so from then on.
    func marked(_ error: BlockError) -> BlockError {
        guard error.code == .corrupt else { return error }
        if !isCorrupt.exchange(true, ordering: .relaxed), geometry.version >= 3 {
            var bytes: [UInt8] = []
            let features = pending?.header.incompatible ?? header.incompatible
            bytes.appendBigEndian(features.union(.corrupt).rawValue)
            do throws(BlockError) {
                try storage.store(bytes, at: QCOW2Header.Offset.incompatible)
                try storage.sync()
            } catch {
                // The image stays closed to writes in this process; the first error says more than this one.
            }
        }
        return error
    }
}
