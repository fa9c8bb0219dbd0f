internal import BlockIO

/// Writes all refcounts anew, from the references that are found. The new table and blocks lie behind the end of the
/// file and count themselves; until one write in the header switches to them, the image is what it was.
///
/// While there are snapshots of which nobody knows what they have, the old counts stay where they are higher, and what no old block
/// counts has half of what a count can be, or more: nothing of theirs becomes free, nor the disk's alone. What that is too much goes
/// when the snapshots are known again, or given up.
struct QCOW2RefcountRebuild {
    private let checker: QCOW2Checker
    private let geometry: QCOW2Geometry
    /// Indexes of the new blocks, ascending: block number `n` lies in cluster `start + n`.
    private let indexes: [Int]
    /// First new cluster.
    private let start: UInt64
    private let tableClusters: UInt64

    /// - Parameters:
    ///   - checker: has not run yet.
    ///   - usedBlocks: indexes of all blocks that references need, or more.
    init(_ checker: QCOW2Checker, usedBlocks: Set<Int>) throws(BlockError) {
        self.checker = checker
        geometry = checker.geometry
        // A compressed cluster at the end may claim a little of the next cluster.
        start = checker.fileClusters + 1
        var needed = usedBlocks
        var tableClusters: UInt64 = 1
        while true {
            let end = start + UInt64(needed.count) + tableClusters
            let last = geometry.blockIndex(cluster: end - 1)
            let before = (needed.count, tableClusters)
            for index in geometry.blockIndex(cluster: start)...last { needed.insert(Int(index)) }
            tableClusters = max(tableClusters, geometry.clusters((last + 1) * 8))
            guard tableClusters * geometry.clusterSize <= QCOW2Limits.refcountTableBytes,
                end << UInt64(geometry.clusterBits) <= QCOW2Limits.hostEnd
            else {
                throw BlockError(
                    .limitExceeded, "the file is too long for a refcount table; convert the image to repair it")
            }
            if before == (needed.count, tableClusters) { break }
        }
        indexes = needed.sorted()
        self.tableClusters = tableClusters
    }

    func run() throws(BlockError) {
        let storage = checker.storage
        let bits = UInt64(geometry.clusterBits)
        var number = 0
        try checker.run { (checker) throws(BlockError) in
            // The old refcounts are no part of the new image.
            for structure in checker.structures where structure.kind.isRefcount {
                checker.window.subtract(structure.run)
            }
            let end = checker.window.base + checker.window.count
            let isLast = end > checker.fileClusters
            while number < indexes.count, isLast || UInt64(indexes[number]) << UInt64(geometry.blockEntryBits) < end {
                try storage.store(block(indexes[number]), at: (start + UInt64(number)) << bits)
                number += 1
            }
        }
        var table = [UInt8](repeating: 0, count: Int(tableClusters * geometry.clusterSize))
        for (number, index) in indexes.enumerated() {
            var entry: [UInt8] = []
            entry.appendBigEndian((start + UInt64(number)) << bits)
            table.replaceSubrange(index * 8..<index * 8 + 8, with: entry)
        }
        let offset = (start + UInt64(indexes.count)) << bits
        try storage.store(table, at: offset)
        try storage.sync()
        var fields: [UInt8] = []
        fields.appendBigEndian(offset)
        fields.appendBigEndian(UInt32(tableClusters))
        try storage.store(fields, at: QCOW2Header.Offset.refcountTable)
        try storage.sync()
    }

    private func block(_ index: Int) throws(BlockError) -> [UInt8] {
        let old = try keptCounts(index)
        var bytes = [UInt8](repeating: 0, count: geometry.clusterBytes)
        let first = UInt64(index) << UInt64(geometry.blockEntryBits)
        let new = start..<start + UInt64(indexes.count) + tableClusters
        // SAFETY: the array's own bytes; the slots are those of one block.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            for cluster in first..<first + geometry.blockEntries {
                let slot = geometry.blockSlot(cluster: cluster)
                var count = new.contains(cluster) ? 1 : checker.window.references(cluster)
                if checker.keepsCounts, cluster < checker.fileClusters {
                    if let old {
                        count = max(count, unsafe old.withUnsafeBytes { unsafe checker.words.get($0, slot) })
                    } else {
                        // A snapshot may refer to one cluster any number of times: compressed ones share it.
                        count = max(min(count, .max - 1), checker.words.maximum / 2) + 1
                    }
                }
                count = min(count, checker.words.maximum)
                if count > 0 { unsafe checker.words.set(buffer, slot, count) }
            }
        }
        return bytes
    }

    /// The block as it is, where its counts are to be kept and there is one that is nothing else.
    private func keptCounts(_ index: Int) throws(BlockError) -> [UInt8]? {
        guard checker.keepsCounts, index < checker.refcountTable.count, checker.refcountTable[index] != 0,
            !checker.doubtfulBlocks.contains(checker.refcountTable[index])
        else { return nil }
        return try checker.storage.array(at: checker.refcountTable[index], count: geometry.clusterBytes)
    }
}
