internal import BlockIO
internal import Synchronization

/// Giving back what bitmaps occupied.
///
/// The entries of a bitmap's table are the one kind of pointer that opening an image does not check: there may be too many.
/// One that is damaged names guest data, a table or a snapshot's, and with a count of 1, which all of those have, giving
/// it back would make that a hole. So a cluster is given back only after a look at everything that may name it: the
/// structures, the L2 tables of the disk and of all snapshots, and the other bitmaps. What is in doubt stays: at worst it is
/// leaked, and a check gives it back.
extension QCOW2Image {
    /// More clusters of bitmaps than this are not looked for.
    private static var mostClusters: UInt64 { 1 << 20 }
    /// More entries of bitmaps' tables are not looked at.
    private static var mostEntries: UInt64 { 1 << 23 }

    /// What each of the bitmaps occupies, nil for one whose table cannot be read; nil when that is too much to be read, as
    /// where 65,535 bitmaps name one long table.
    func clusters(of entries: [QCOW2BitmapEntry]) -> [[ClusterRun]?]? {
        guard entries.reduce(0, { $0 + UInt64($1.tableEntries) }) <= Self.mostEntries else { return nil }
        return entries.map { try? clusters(of: $0) }
    }

    /// What a bitmap occupies: its table, which is the first run, and the clusters of its bits.
    func clusters(of entry: QCOW2BitmapEntry) throws(BlockError) -> [ClusterRun] {
        let shift = UInt64(geometry.clusterBits)
        let count = UInt64(entry.tableEntries)
        guard count * 8 <= QCOW2Limits.bitmapDirectoryBytes else {
            throw BlockError(.limitExceeded, "the bitmap's table is too long", offset: entry.tableOffset)
        }
        var runs = [ClusterRun(start: entry.tableOffset >> shift, count: geometry.clusters(count * 8))]
        for word in try storage.words(at: entry.tableOffset, count: Int(count)) {
            let host = word & QCOW2Entry.offsetMask
            if host != 0, host & geometry.clusterMask == 0 { runs.append(ClusterRun(start: host >> shift, count: 1)) }
        }
        return runs
    }

    /// Releases runs that nothing names any more, durably, but for those clusters that are `contested`; nothing where
    /// nobody knows which are (nil).
    func release(
        _ runs: QCOW2BitmapRuns, but contested: Set<UInt64>?, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) {
        guard let contested else { return }
        for part in runs.parts {
            for cluster in part.run.start..<part.run.end where !contested.contains(cluster) {
                refcounts.structures.remove(cluster)
                bitmapStore.made.remove(cluster)
                try refcounts.release(ClusterRun(start: cluster, count: 1))
            }
        }
    }

    /// Which clusters of `runs` are not theirs alone: named twice by them, by something else of the image, or not counted
    /// exactly once. Nil when there are too many to say. With the metadata lock held.
    ///
    /// Reads all L2 tables, and the tables of all other bitmaps, once, unless this session made all of `runs`: what it took,
    /// nothing else has named since. What the file has that was taken all the same, as it was not counted, is contested.
    /// - Parameter names: bitmaps of the directory that `runs` are of; all others count as something else.
    func contestedClusters(
        _ runs: QCOW2BitmapRuns, besides names: Set<[UInt8]>
    ) throws(BlockError) -> Set<UInt64>? {
        guard let refcounts = pending?.refcounts, runs.clusterCount <= Self.mostClusters else { return nil }
        var own: Set<UInt64> = []
        var asked: Set<UInt64> = []
        var contested: Set<UInt64> = []
        for part in runs.parts {
            for cluster in part.run.start..<part.run.end {
                let isNew = own.insert(cluster).inserted
                let isOther = refcounts.structures.contains(cluster) && !part.isStructure
                let isTaken = !part.isMade && bitmapStore.made.contains(cluster)
                let count = try refcounts.count(cluster)
                if !isNew || isOther || isTaken || cluster == 0 || count != 1 { contested.insert(cluster) }
                if !part.isMade { asked.insert(cluster) }
            }
        }
        if asked.isEmpty { return contested }
        // From here on the tables in the file are those in memory.
        try flushMetadata()
        hasPendingMetadata.store(true, ordering: .releasing)
        let others = bitmapStore.directory.entries.filter { !names.contains($0.name) }
        guard others.reduce(0, { $0 + UInt64($1.tableEntries) }) <= Self.mostEntries else { return nil }
        for entry in others {
            for run in try clusters(of: entry) {
                for cluster in run.start..<run.end where asked.contains(cluster) { contested.insert(cluster) }
            }
        }
        var walk = QCOW2ReferenceWalk(self, asked)
        return try walk.finish() ? contested.union(walk.found) : nil
    }
}

/// A walk over all L2 tables, those of snapshots included, for entries that name one of some clusters.
private struct QCOW2ReferenceWalk {
    private let image: QCOW2Image
    private let wanted: Set<UInt64>
    private let span: ClosedRange<UInt64>
    private var seen: Set<UInt64> = []
    /// Those of the clusters that are named, or are L2 tables.
    private(set) var found: Set<UInt64> = []
    /// L2 tables that are looked at, each once: as many as the longest L1 table names.
    private static let mostTables = 1 << 22

    init(_ image: QCOW2Image, _ wanted: Set<UInt64>) {
        self.image = image
        self.wanted = wanted
        span = (wanted.min() ?? 0)...(wanted.max() ?? 0)
    }

    /// False when there are too many tables.
    mutating func finish() throws(BlockError) -> Bool {
        if wanted.isEmpty { return true }
        for index in 0..<image.l1.count where image.l1[index] != 0 {
            guard try look(at: image.l1[index] & QCOW2Entry.offsetMask) else { return false }
        }
        for snapshot in try image.snapshotList.table(of: image).entries where snapshot.l1Entries > 0 {
            let entries = try image.storage.words(at: snapshot.l1Offset, count: Int(snapshot.l1Entries))
            for entry in entries where entry != 0 {
                guard try look(at: entry & QCOW2Entry.offsetMask) else { return false }
            }
        }
        return true
    }

    private mutating func look(at table: UInt64) throws(BlockError) -> Bool {
        let geometry = image.geometry
        let bits = UInt64(geometry.clusterBits)
        if seen.contains(table) { return true }
        if seen.count == Self.mostTables { return false }
        seen.insert(table)
        note(ClusterRun(start: table >> bits, count: 1))
        // Entries of an image with an external data file name places there.
        if image.hasExternalData || table & geometry.clusterMask != 0 { return true }
        let end = table + geometry.clusterSize
        let part = try image.storage.run(at: table, end: end)
        if !part.isData && part.end >= end { return true }
        let words = try image.storage.words(at: table, count: geometry.clusterBytes / 8)
        for index in stride(from: 0, to: words.count, by: geometry.hasExtendedL2 ? 2 : 1) where words[index] != 0 {
            let word = words[index]
            if word & QCOW2Entry.compressed != 0 {
                note(QCOW2CompressedBlob(entry: word, geometry).clusters(geometry))
            } else {
                note(ClusterRun(start: (word & QCOW2Entry.offsetMask) >> bits, count: 1))
            }
        }
        return true
    }

    private mutating func note(_ run: ClusterRun) {
        if run.end <= span.lowerBound || run.start > span.upperBound { return }
        for cluster in run.start..<run.end where wanted.contains(cluster) { found.insert(cluster) }
    }
}
