public import BlockIO
internal import Glibc
internal import Synchronization

/// Keeping and dropping states of the disk.
///
/// Order of writes. What an image refers to is counted before, and what it does not refer to any more is discounted
/// after, the one write that switches over; and a copied bit is set only where the count has durably gone down to 1:
///
///     create: copied bits cleared | counts up, L1 copy, new table | header names the new table | old table's count down
///     delete: new table | header names the new table | counts down | copied bits set
///
/// Each bar is a barrier. A crash in between leaves counts that are too high, or a cluster that is copied before it is
/// written though it need not be: leaks, never lost content. In version 3 the dirty bit is set meanwhile
/// (`whileDirty`), so that both are put right when the image is opened for writing next.
///
/// Version 2 has no such bit, and no order of writes can do without one. The specification wants the copied bit to be “1
/// for standard clusters whose refcount is exactly one” and 0 for those that “require COW”: a fact that is stored twice,
/// in a refcount block and in an L2 table, so in two sectors, of which a crash may keep one. The order above keeps the
/// one that does no harm: a clear bit with a count of 1 costs a copy at the next write, while a bit that is still set
/// with a count of 2 would let a write go into the snapshot. So after such a crash a check of a version 2 image may
/// report copied bits that are clear without need, until it repairs them; nothing else, and never a bit that is set.
extension QCOW2Image: SnapshotKeeper {
    public func snapshots() throws(BlockError) -> [SnapshotInfo] {
        try checkUsable()
        return try metadata.locked { () throws(BlockError) in
            try snapshotList.table(of: self).entries.map(\.info)
        }
    }

    /// Reads go on meanwhile; writes wait.
    @discardableResult
    public func createSnapshot(name: String) throws(BlockError) -> SnapshotInfo {
        try checkUsable()
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count <= QCOW2Snapshot.mostName, !bytes.contains(where: { $0 < 32 || $0 == 127 })
        else {
            throw BlockError(
                .denied, "a snapshot's name has 1 to \(QCOW2Snapshot.mostName) bytes and no control characters",
                path: storage.path)
        }
        return try metadata.locked { () throws(BlockError) in try create(bytes) }
    }

    private func create(_ name: [UInt8]) throws(BlockError) -> SnapshotInfo {
        let refcounts = try beginTreeChange()
        var table = try snapshotList.table(of: self)
        guard !table.entries.contains(where: { $0.name == name }) else {
            throw BlockError(
                .exists, "there is a snapshot “\(String(decoding: name, as: UTF8.self))” already", path: storage.path)
        }
        // The copy takes a cluster, which only an entry makes its own.
        let words = l1.count == 0 ? [0] : l1.words
        try checkRetainable(words, refcounts)
        return try whileDirty(refcounts) { () throws(BlockError) in
            try add(name, words, to: &table, refcounts)
        }
    }

    private func add(
        _ name: [UInt8], _ words: [UInt64], to table: inout QCOW2SnapshotTable, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) -> SnapshotInfo {
        // From here on writes wait for the metadata lock: nothing may be written in place. Those under way end first.
        mapping.exclusive { l1.unverifyAll() }

        var copy: ClusterRun?
        var newTable: ClusterRun?
        var isRetained = false
        do throws(BlockError) {
            let l1Run = try allocateTable(words.count * 8, refcounts)
            copy = l1Run
            let now = currentTime()
            var extra: [UInt8] = []
            extra.appendBigEndian(UInt64(0))
            extra.appendBigEndian(size)
            let entry = QCOW2Snapshot(
                l1Offset: l1Run.start << UInt64(geometry.clusterBits), l1Entries: UInt32(words.count),
                id: table.freshID(), name: name, seconds: now.seconds, nanoseconds: now.nanoseconds, guestClock: 0,
                shortStateSize: 0, extra: extra, diskSize: size)
            table.entries.append(entry)
            let tableBytes = try table.encoded()
            newTable = try allocateTable(tableBytes.count, refcounts)
            try clearCopied()
            try retain(words, refcounts)
            isRetained = true
            try storeTable(words.map { $0 & ~QCOW2Entry.copied }, in: l1Run)
            if let newTable { try store(table: tableBytes, in: newTable) }
            try writeCounts(refcounts)
        } catch {
            // Nothing refers to what was prepared. Copied bits are set again where they belong when this is through.
            if isRetained { try? release(words, refcounts) }
            if let copy { try? refcounts.release(copy) }
            if let newTable { try? refcounts.release(newTable) }
            throw error
        }
        guard let copy, let newTable else { preconditionFailure("both tables were allocated") }
        try switchSnapshots(to: table, in: newTable, refcounts)
        for cluster in copy.start..<copy.end { refcounts.structures.insert(cluster) }
        return table.entries[table.entries.count - 1].info
    }

    public func deleteSnapshot(_ name: String) throws(BlockError) {
        try checkUsable()
        try metadata.locked { () throws(BlockError) in
            let refcounts = try beginTreeChange()
            var table = try snapshotList.table(of: self)
            let entry = table.entries.remove(at: try table.index(of: name))
            guard !snapshotList.isViewed(entry.id) else {
                throw BlockError(.busy, "the snapshot is open; close its view first", path: storage.path)
            }
            let words = try words(of: entry)
            try checkApart(words, refcounts)
            try whileDirty(refcounts) { () throws(BlockError) in
                try replaceTable(table, refcounts)
                let bits = UInt64(geometry.clusterBits)
                let run = ClusterRun(
                    start: entry.l1Offset >> bits, count: geometry.clusters(UInt64(entry.l1Entries) * 8))
                for cluster in run.start..<run.end { refcounts.structures.remove(cluster) }
                try release(words, refcounts)
                try refcounts.release(run)
                try writeCounts(refcounts)
                try recomputeCopied(refcounts)
            }
        }
    }

    /// Gives a snapshot another name.
    public func renameSnapshot(_ name: String, to newName: String) throws(BlockError) {
        try checkUsable()
        let bytes = Array(newName.utf8)
        guard !bytes.isEmpty, bytes.count <= QCOW2Snapshot.mostName, !bytes.contains(where: { $0 < 32 || $0 == 127 })
        else {
            throw BlockError(
                .denied, "a snapshot's name has 1 to \(QCOW2Snapshot.mostName) bytes and no control characters",
                path: storage.path)
        }
        try metadata.locked { () throws(BlockError) in
            let refcounts = try beginTreeChange()
            var table = try snapshotList.table(of: self)
            let index = try table.index(of: name)
            if table.entries[index].name == bytes { return }
            guard !table.entries.contains(where: { $0.name == bytes }) else {
                throw BlockError(.exists, "there is a snapshot “\(newName)” already", path: storage.path)
            }
            table.entries[index].name = bytes
            try replaceTable(table, refcounts)
        }
    }

    /// Prepares for work on whole trees: everything pending is durable afterwards, and flushes wait for the lock.
    func beginTreeChange() throws(BlockError) -> QCOW2Refcounts {
        let pending = try beginChange()
        if hasExternalData {
            throw BlockError(
                .unsupported, "an image with an external data file cannot have internal snapshots", path: storage.path)
        }
        try flushMetadata()
        hasPendingMetadata.store(true, ordering: .releasing)
        return pending.refcounts
    }

    /// The L1 entries of a snapshot.
    func words(of entry: QCOW2Snapshot) throws(BlockError) -> [UInt64] {
        try QCOW2SnapshotTable.checkL1(entry, geometry, fileEnd: fileEnd.load(ordering: .relaxed))
        if entry.l1Entries == 0 { return [] }
        return try storage.words(at: entry.l1Offset, count: Int(entry.l1Entries))
    }

    /// Clusters for a table of `bytes`, one at least.
    func allocateTable(_ bytes: Int, _ refcounts: QCOW2Refcounts) throws(BlockError) -> ClusterRun {
        let run = try refcounts.allocateAdjoining(max(1, geometry.clusters(UInt64(bytes))))
        for cluster in run.start..<run.end where cluster == 0 || refcounts.structures.contains(cluster) {
            throw BlockError(.corrupt, "the refcounts call a cluster free that is in use", path: storage.path)
        }
        return run
    }

    func storeTable(_ words: [UInt64], in run: ClusterRun) throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * 8)
        for word in words { bytes.appendBigEndian(word) }
        try store(table: bytes, in: run)
    }

    /// Stores a table with zeroes up to the end of its clusters.
    func store(table bytes: [UInt8], in run: ClusterRun) throws(BlockError) {
        let length = Int(run.count) << geometry.clusterBits
        try storage.store(
            bytes + [UInt8](repeating: 0, count: length - bytes.count), at: run.start << UInt64(geometry.clusterBits))
        let end = run.end << UInt64(geometry.clusterBits)
        if end > fileEnd.load(ordering: .relaxed) { fileEnd.store(end, ordering: .relaxed) }
    }

    /// Makes all refcounts durable, with everything else that was written.
    func writeCounts(_ refcounts: QCOW2Refcounts) throws(BlockError) {
        try refcounts.writeBlocks()
        try storage.sync()
        if !refcounts.unwrittenEntries.isEmpty {
            try refcounts.writeEntries()
            try storage.sync()
        }
    }

    private func replaceTable(_ table: QCOW2SnapshotTable, _ refcounts: QCOW2Refcounts) throws(BlockError) {
        if table.entries.isEmpty { return try switchSnapshots(to: table, in: nil, refcounts) }
        let bytes = try table.encoded()
        let run = try allocateTable(bytes.count, refcounts)
        do throws(BlockError) {
            try store(table: bytes, in: run)
            try writeCounts(refcounts)
        } catch {
            try? refcounts.release(run)
            throw error
        }
        try switchSnapshots(to: table, in: run, refcounts)
    }

    /// One write of 12 bytes in the header names another snapshot table, which is durable; the old one is freed.
    private func switchSnapshots(
        to table: QCOW2SnapshotTable, in run: ClusterRun?, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        let old = ClusterRun(start: table.offset >> bits, count: geometry.clusters(table.length))
        var table = table
        table.offset = run.map { $0.start << bits } ?? 0
        table.length = run == nil ? 0 : UInt64(try table.encoded().count)
        var fields: [UInt8] = []
        fields.appendBigEndian(UInt32(table.entries.count))
        fields.appendBigEndian(table.offset)
        try switchHeader(fields, at: QCOW2Header.Offset.snapshots, refcounts)
        pending?.header.snapshotCount = UInt32(table.entries.count)
        pending?.header.snapshotsOffset = table.offset
        snapshotList.replace(with: table)
        if let run { for cluster in run.start..<run.end { refcounts.structures.insert(cluster) } }
        for cluster in old.start..<old.end { refcounts.structures.remove(cluster) }
        try refcounts.release(old)
    }

    /// A write inside the first sector of the header, durable when this returns. When it fails nobody knows which state
    /// the file has: nothing is written any more.
    func switchHeader(_ fields: [UInt8], at offset: UInt64, _ refcounts: QCOW2Refcounts) throws(BlockError) {
        do throws(BlockError) {
            try storage.store(fields, at: offset)
            try storage.sync()
        } catch {
            refcounts.failure = error
            throw error
        }
    }

    private func currentTime() -> (seconds: UInt32, nanoseconds: UInt32) {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        return (UInt32(clamping: now.tv_sec), UInt32(clamping: now.tv_nsec))
    }
}
