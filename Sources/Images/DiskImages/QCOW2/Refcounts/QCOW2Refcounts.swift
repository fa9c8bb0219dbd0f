internal import BlockIO

/// A run of host clusters.
struct ClusterRun: Sendable, Equatable {
    /// Index of the first cluster.
    var start: UInt64
    var count: UInt64
    var end: UInt64 { start + count }
}

/// The refcounts of a writable image, and the allocation of host clusters.
///
/// Allocation goes up from the end of the file; free clusters below it are used first (QCOW2Refcounts+Gaps). Refcount blocks
/// are cached and dirty; `writeBlocks` may write them at any time, because a count goes up before anything refers to
/// the cluster and goes down only after the last reference is durably gone.
///
/// Concurrency: one thread at a time (the image's metadata lock).
final class QCOW2Refcounts {
    let storage: any ImageStorage
    let geometry: QCOW2Geometry
    let words: RefcountWords
    let blocks: QCOW2TableCache
    /// The refcount table in host order: offsets of blocks, 0 where all counts are 0.
    var table: [UInt64]
    var tableOffset: UInt64
    var tableClusters: UInt64
    /// Entries of `table` that the file does not hold yet.
    var unwrittenEntries: [Int] = []
    /// Clusters of the image's own structures (header, tables, refcount blocks, L2 tables).
    var structures: Set<UInt64>
    /// Where allocation goes on when nothing freed is left.
    private(set) var next: UInt64
    /// Clusters at and above this one were never written: they read as zeroes.
    var blankFrom: UInt64
    /// Set when the file and this object may disagree on where the refcount table is: nothing may be written then.
    var failure: BlockError?
    /// Freed clusters, with other content than zeroes for all that is known.
    var recycled: [ClusterRun] = []
    /// The first refcount block that was not looked through for free clusters, and where such clusters end.
    var gapBlock = 0
    var gapEnd: UInt64
    /// Clusters to be freed after the next barrier (an outgrown refcount table).
    var outgrown: [ClusterRun] = []

    /// Where the next compressed cluster may go; nothing is open there when it is a multiple of a cluster.
    var packedEnd: UInt64 = 0
    /// Clusters at and above this one do not exist: the end of a block device, or the format's limit.
    var limit = QCOW2Limits.hostEnd

    init(
        storage: any ImageStorage, geometry: QCOW2Geometry, table: [UInt64], tableOffset: UInt64,
        tableClusters: UInt64, structures: Set<UInt64>, firstFree: UInt64
    ) {
        self.storage = storage
        self.geometry = geometry
        words = RefcountWords(order: geometry.refcountOrder)
        self.table = table
        self.tableOffset = tableOffset
        self.tableClusters = tableClusters
        self.structures = structures
        next = firstFree
        blankFrom = firstFree
        gapEnd = firstFree
        blocks = QCOW2TableCache(
            tableBytes: geometry.clusterBytes, keyCount: table.count, memory: 8 << 20, most: 1024)
    }

    /// The number of references to a host cluster.
    func count(_ cluster: UInt64) throws(BlockError) -> UInt64 {
        let index = geometry.blockIndex(cluster: cluster)
        guard index < UInt64(table.count), table[Int(index)] != 0 else { return 0 }
        return unsafe try withBlock(Int(index)) { block in
            unsafe words.get(UnsafeRawBufferPointer(block), geometry.blockSlot(cluster: cluster))
        }
    }

    /// Up to `most` (at least 1) adjoining free clusters, now with a count of 1. `areBlank`: they read as zeroes.
    func allocate(upTo most: UInt64) throws(BlockError) -> (run: ClusterRun, areBlank: Bool) {
        if let failure { throw failure }
        if recycled.isEmpty { try findGaps() }
        while let last = recycled.popLast() {
            let (run, rest) = try usable(last, most: most)
            if rest.count > 0 { recycled.append(rest) }
            if run.count == 0 { continue }
            try claim(run)
            return (run, false)
        }
        while true {
            let index = geometry.blockIndex(cluster: next)
            try checkLimit(next + 1)
            if index >= UInt64(table.count) {
                try growTable()
            } else if table[Int(index)] == 0 {
                try makeBlock(Int(index))
            } else if let run = try freeRun(in: Int(index), most: most) {
                try checkLimit(run.end)
                try claim(run)
                next = run.end
                let areBlank = run.start >= blankFrom && !storage.isBlockDevice
                blankFrom = max(blankFrom, run.end)
                return (run, areBlank)
            } else {
                next = (index + 1) << UInt64(geometry.blockEntryBits)
            }
        }
    }

    /// One reference less for each cluster of `run`, which nothing durable refers to any more; what becomes free is
    /// given back to the file system and may be allocated again.
    func release(_ run: ClusterRun) throws(BlockError) {
        var cluster = run.start
        while cluster < run.end {
            let index = geometry.blockIndex(cluster: cluster)
            let end = min(run.end, (index + 1) << UInt64(geometry.blockEntryBits))
            guard index < UInt64(table.count), table[Int(index)] != 0 else {
                cluster = end
                continue
            }
            var freed = ClusterRun(start: cluster, count: 0)
            var all: [ClusterRun] = []
            let part = cluster
            unsafe try withBlock(Int(index)) { block in
                for cluster in part..<end {
                    let slot = geometry.blockSlot(cluster: cluster)
                    let value = unsafe words.get(UnsafeRawBufferPointer(block), slot)
                    if value > 0 { unsafe words.set(block, slot, value - 1) }
                    guard value == 1, !structures.contains(cluster) else { continue }
                    if freed.end == cluster {
                        freed.count += 1
                    } else {
                        if freed.count > 0 { all.append(freed) }
                        freed = ClusterRun(start: cluster, count: 1)
                    }
                }
            }
            blocks.markDirty(Int(index), dirtyBytes(part, end))
            if freed.count > 0 { all.append(freed) }
            for run in all { recycle(run) }
            cluster = end
        }
    }

    private func recycle(_ run: ClusterRun) {
        let bits = UInt64(geometry.clusterBits)
        if (run.start..<run.end).contains(packedEnd >> bits) { packedEnd = 0 }
        // Space that cannot be given back stays with the file; that is no failure.
        _ = try? storage.punch(at: run.start << bits, length: run.count << bits)
        if let last = recycled.last, last.end == run.start {
            recycled[recycled.count - 1].count += run.count
        } else if recycled.count < 65536 {
            recycled.append(run)
        }
    }

    /// Sets the counts of free clusters to 1.
    func claim(_ run: ClusterRun) throws(BlockError) {
        var cluster = run.start
        while cluster < run.end {
            let index = geometry.blockIndex(cluster: cluster)
            let end = min(run.end, (index + 1) << UInt64(geometry.blockEntryBits))
            let part = cluster
            let clash = unsafe try withBlock(Int(index)) { block in
                for cluster in part..<end where cluster == 0 || structures.contains(cluster) { return true }
                for cluster in part..<end { unsafe words.set(block, geometry.blockSlot(cluster: cluster), 1) }
                return false
            }
            if clash {
                throw BlockError(
                    .corrupt, "the refcounts call a cluster free that holds the image's own structures",
                    path: storage.path, offset: part << UInt64(geometry.clusterBits))
            }
            blocks.markDirty(Int(index), dirtyBytes(part, end))
            cluster = end
        }
    }

    /// The first run of free clusters at or after `next` in block `index`.
    private func freeRun(in index: Int, most: UInt64) throws(BlockError) -> ClusterRun? {
        let end = UInt64(index + 1) << UInt64(geometry.blockEntryBits)
        let first = next
        return unsafe try withBlock(index) { block in
            let block = UnsafeRawBufferPointer(block)
            var start = first
            while start < end, unsafe words.get(block, geometry.blockSlot(cluster: start)) != 0 { start += 1 }
            if start == end { return nil }
            var run = ClusterRun(start: start, count: 1)
            while run.count < most, run.end < min(end, limit),
                unsafe words.get(block, geometry.blockSlot(cluster: run.end)) == 0
            {
                run.count += 1
            }
            return run
        }
    }

    /// Bytes of a block that hold the counts of clusters `low ..< high`.
    func dirtyBytes(_ low: UInt64, _ high: UInt64) -> Range<Int> {
        words.bytes(of: geometry.blockSlot(cluster: low))
            .lowerBound..<words.bytes(of: geometry.blockSlot(cluster: high - 1)).upperBound
    }

    /// Clusters below `end` exist or can be made.
    func checkLimit(_ end: UInt64) throws(BlockError) {
        guard end < QCOW2Limits.hostEnd >> UInt64(geometry.clusterBits) else {
            throw BlockError(.limitExceeded, "the image file has grown to the limit of the format")
        }
        guard end <= limit else {
            throw BlockError(.noSpace, "the block device of the image is full", path: storage.path)
        }
    }

    /// The file ends at `cluster`, and what will lie there reads as zeroes.
    func restart(at cluster: UInt64) {
        next = cluster
        blankFrom = cluster
        gapEnd = min(gapEnd, cluster)
    }

    /// Moves `next` past clusters that growth has used.
    func advance(to cluster: UInt64) { next = max(next, cluster) }

    /// Runs `body` with the bytes of block `index`, which exists.
    func withBlock<T>(
        _ index: Int, _ body: (UnsafeMutableRawBufferPointer) -> T
    ) throws(BlockError) -> T {
        try makeRoom()
        let offset = table[index]
        let block = unsafe try blocks.pin(index) { (buffer) throws(BlockError) in
            try unsafe storage.read(into: buffer, at: offset)
        }
        defer { blocks.unpin(index) }
        return unsafe body(block)
    }

    /// Keeps half of the block cache clean.
    func makeRoom() throws(BlockError) {
        if blocks.dirtyCount > blocks.capacity / 2 { try writeBlocks() }
    }
}
