internal import BlockIO

/// Writes all refcounts anew, from the references that are found. The new table and blocks lie behind the end of the
/// file, or where a device has something free, and count themselves; until one write in the header switches to them, the image is what it was.
///
/// While there are snapshots of which nobody knows what they have, the old counts stay where they are higher, and what no old block
/// counts has half of what a count can be, or more: nothing of theirs becomes free, nor the disk's alone. What that is too much goes
/// when the snapshots are known again, or given up.
struct QCOW2RefcountRebuild {
    private let checker: QCOW2Checker
    private let geometry: QCOW2Geometry
    /// Indexes of the new blocks, ascending, and the cluster of each.
    private let indexes: [Int]
    private let places: [UInt64]
    private let table: ClusterRun
    /// The clusters of the blocks once more, and the first and the last of them.
    private let taken: Set<UInt64>
    private let span: ClosedRange<UInt64>

    /// - Parameters:
    ///   - checker: has not run yet.
    ///   - plan: a finished examination of the same image.
    ///   - free: where new clusters may be, as the plan says, without what others take.
    ///   - moved: indexes of blocks that count what others took of `free`.
    /// - Throws: `.noSpace` when a device, which becomes no longer, has no room for them.
    init(
        _ checker: QCOW2Checker, plan: QCOW2Checker, free: QCOW2FreeRuns, moved: Set<Int> = []
    ) throws(BlockError) {
        self.checker = checker
        geometry = checker.geometry
        if plan.storage.isBlockDevice, plan.keepsCounts {
            throw BlockError(
                .unsupported,
                "what a snapshot has that cannot be read may lie anywhere on the device: write the image into a file, and "
                    + "repair that", path: plan.storage.path)
        }
        var needed = plan.usedBlocks.union(moved)
        var tableClusters: UInt64 = 1
        while true {
            var left = free
            var places: [UInt64] = []
            places.reserveCapacity(needed.count)
            for _ in 0..<needed.count {
                guard let place = left.takeOne() else { throw plan.noRoom() }
                places.append(place)
            }
            guard let start = left.take(tableClusters) else { throw plan.noRoom() }
            // Those that count what is new are new themselves.
            let before = (needed.count, tableClusters)
            for place in places { needed.insert(Int(geometry.blockIndex(cluster: place))) }
            for index in geometry.blockIndex(cluster: start)...geometry.blockIndex(cluster: start + tableClusters - 1) {
                needed.insert(Int(index))
            }
            tableClusters = max(tableClusters, geometry.clusters((UInt64(needed.max() ?? 0) + 1) * 8))
            guard tableClusters * geometry.clusterSize <= QCOW2Limits.refcountTableBytes else {
                throw BlockError(
                    .limitExceeded, "the file is too long for a refcount table; convert the image to repair it")
            }
            if before == (needed.count, tableClusters) {
                indexes = needed.sorted()
                self.places = places
                table = ClusterRun(start: start, count: tableClusters)
                taken = Set(places)
                span = (places.min() ?? start)...(places.max() ?? start)
                return
            }
        }
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
                try storage.store(block(indexes[number]), at: places[number] << bits)
                number += 1
            }
        }
        var words = [UInt8](repeating: 0, count: Int(table.count * geometry.clusterSize))
        for (number, index) in indexes.enumerated() {
            var entry: [UInt8] = []
            entry.appendBigEndian(places[number] << bits)
            words.replaceSubrange(index * 8..<index * 8 + 8, with: entry)
        }
        let offset = table.start << bits
        try storage.store(words, at: offset)
        try storage.sync()
        var fields: [UInt8] = []
        fields.appendBigEndian(offset)
        fields.appendBigEndian(UInt32(table.count))
        try storage.store(fields, at: QCOW2Header.Offset.refcountTable)
        try storage.sync()
    }

    private func block(_ index: Int) throws(BlockError) -> [UInt8] {
        let old = try keptCounts(index)
        var bytes = [UInt8](repeating: 0, count: geometry.clusterBytes)
        let first = UInt64(index) << UInt64(geometry.blockEntryBits)
        let new = table.start..<table.end
        // SAFETY: the array's own bytes; the slots are those of one block.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            for cluster in first..<first + geometry.blockEntries {
                let slot = geometry.blockSlot(cluster: cluster)
                let isNew = new.contains(cluster) || (span.contains(cluster) && taken.contains(cluster))
                var count = isNew ? 1 : checker.window.references(cluster)
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
