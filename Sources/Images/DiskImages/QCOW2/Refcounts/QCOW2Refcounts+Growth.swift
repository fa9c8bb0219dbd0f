internal import BlockIO

/// Writing back, new refcount blocks and the growth of the refcount table.
extension QCOW2Refcounts {
    /// Writes all dirty refcount blocks. No barrier.
    func writeBlocks() throws(BlockError) {
        try unsafe blocks.writeBack { (index, bytes, at) throws(BlockError) in
            try unsafe storage.write(bytes, at: table[index] + UInt64(at))
        }
    }

    /// Writes the table entries of new blocks, which must be durable with their content by now. No barrier.
    func writeEntries() throws(BlockError) {
        for index in unwrittenEntries {
            var bytes: [UInt8] = []
            bytes.appendBigEndian(table[index])
            try storage.store(bytes, at: tableOffset + UInt64(index) * 8)
        }
        unwrittenEntries.removeAll(keepingCapacity: true)
    }

    /// Makes the block of a range that has none, in the range's first cluster at or after `next`: it counts itself. Stored at
    /// once, so that where there is no room only the change fails that needs it.
    func makeBlock(_ index: Int) throws(BlockError) {
        let cluster = next
        try checkFree(ClusterRun(start: cluster, count: 1))
        try makeRoom()
        let block = unsafe try blocks.pin(index) { (buffer) throws(BlockError) in
            unsafe _ = buffer.initializeMemory(as: UInt8.self, repeating: 0)
        }
        defer { blocks.unpin(index) }
        // Another try may have failed before.
        unsafe _ = block.initializeMemory(as: UInt8.self, repeating: 0)
        unsafe words.set(block, geometry.blockSlot(cluster: cluster), 1)
        blankFrom = max(blankFrom, cluster + 1)
        try unsafe storage.write(UnsafeRawBufferPointer(block), at: cluster << UInt64(geometry.clusterBits))
        blocks.markDirty(index, 0..<geometry.clusterBytes)
        table[index] = cluster << UInt64(geometry.clusterBits)
        unwrittenEntries.append(index)
        structures.insert(cluster)
        advance(to: cluster + 1)
    }

    /// Makes the table large enough for the cluster `next`, and half as large again.
    ///
    /// The new table and the blocks that count it go to the end of the file and are made durable; one write of 12 bytes
    /// in the header then switches over. The old table is freed after the next barrier.
    func growTable() throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        let firstIndex = geometry.blockIndex(cluster: next)
        let (clusters, blockCount) = try plannedGrowth()
        let used = ClusterRun(start: next, count: clusters + blockCount)
        try checkLimit(used.end)
        try checkFree(used)
        var larger = table
        larger.append(contentsOf: repeatElement(0, count: Int(clusters * geometry.clusterSize / 8) - table.count))
        // Whatever happens below, these clusters may hold something afterwards.
        blankFrom = max(blankFrom, used.end)
        for number in 0..<blockCount {
            larger[Int(firstIndex + number)] = (used.start + number) << bits
            try storage.store(block(Int(firstIndex + number), counting: used), at: (used.start + number) << bits)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(larger.count * 8)
        for entry in larger { bytes.appendBigEndian(entry) }
        let newOffset = (used.start + blockCount) << bits
        try storage.store(bytes, at: newOffset)
        try writeBlocks()
        try storage.sync()
        var fields: [UInt8] = []
        fields.appendBigEndian(newOffset)
        fields.appendBigEndian(UInt32(clusters))
        do throws(BlockError) {
            try storage.store(fields, at: QCOW2Header.Offset.refcountTable)
            try storage.sync()
        } catch {
            failure = error
            throw error
        }
        let old = ClusterRun(start: tableOffset >> bits, count: tableClusters)
        for cluster in old.start..<old.end { structures.remove(cluster) }
        for cluster in used.start..<used.end { structures.insert(cluster) }
        outgrown.append(old)
        table = larger
        tableOffset = newOffset
        tableClusters = clusters
        unwrittenEntries.removeAll(keepingCapacity: true)
        blocks.growKeys(to: table.count)
        advance(to: used.end)
    }

    /// Clusters of the larger table, and how many new blocks count it and themselves.
    private func plannedGrowth() throws(BlockError) -> (clusters: UInt64, blocks: UInt64) {
        let most = QCOW2Limits.refcountTableBytes / geometry.clusterSize
        let wordsPerCluster = geometry.clusterSize / 8
        let firstIndex = geometry.blockIndex(cluster: next)
        // Room for what is there and half as much again; when that is too much, as much as is legal.
        var clusters = min(most, max(tableClusters + tableClusters / 2, firstIndex / wordsPerCluster) + 1)
        var blocks: UInt64 = 1
        while true {
            let lastIndex = geometry.blockIndex(cluster: next + clusters + blocks - 1)
            if lastIndex / wordsPerCluster + 1 > clusters {
                clusters = lastIndex / wordsPerCluster + 1
            } else if lastIndex - firstIndex + 1 > blocks {
                blocks = lastIndex - firstIndex + 1
            } else {
                break
            }
            if clusters > most {
                throw BlockError(
                    .limitExceeded, "the image file has grown to the limit of its refcount table", path: storage.path)
            }
        }
        return (clusters, blocks)
    }

    /// The bytes of a new block with a count of 1 for the clusters of `used` that it covers.
    private func block(_ index: Int, counting used: ClusterRun) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: geometry.clusterBytes)
        let first = UInt64(index) << UInt64(geometry.blockEntryBits)
        let low = max(first, used.start)
        let high = min(first + geometry.blockEntries, used.end)
        // SAFETY: the array's own bytes; the slots are those of one block.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            for cluster in low..<max(low, high) {
                unsafe words.set(buffer, geometry.blockSlot(cluster: cluster), 1)
            }
        }
        return bytes
    }

    private func checkFree(_ run: ClusterRun) throws(BlockError) {
        for cluster in run.start..<run.end where cluster == 0 || structures.contains(cluster) {
            throw BlockError(
                .corrupt, "the refcounts call a cluster free that holds the image's own structures",
                path: storage.path, offset: cluster << UInt64(geometry.clusterBits))
        }
    }
}
