internal import BlockIO

/// What structures that several clusters form, and several roots share, need of the refcounts.
extension QCOW2Refcounts {
    /// One reference more for each cluster of `run`: for all or, when it throws, for none. `.corrupt` when one of them
    /// has no reference yet, `.limitExceeded` when a count would not fit its width.
    func retain(_ run: ClusterRun) throws(BlockError) {
        try checkRetainable(run)
        try forEachBlock(run) { (index, part) throws(BlockError) in
            unsafe try withBlock(index) { block in
                for cluster in part.start..<part.end {
                    let slot = geometry.blockSlot(cluster: cluster)
                    unsafe words.set(block, slot, words.get(UnsafeRawBufferPointer(block), slot) + 1)
                }
            }
            blocks.markDirty(index, dirtyBytes(part.start, part.end))
        }
    }

    /// Throws what `retain` would, and changes nothing.
    func checkRetainable(_ run: ClusterRun) throws(BlockError) {
        try forEachBlock(run) { (index, part) throws(BlockError) in
            guard index < table.count, table[index] != 0 else { throw unreferenced(part.start) }
            let bad = unsafe try withBlock(index) { block -> (cluster: UInt64, count: UInt64)? in
                for cluster in part.start..<part.end {
                    let count = unsafe words.get(UnsafeRawBufferPointer(block), geometry.blockSlot(cluster: cluster))
                    if count == 0 || count >= words.maximum { return (cluster, count) }
                }
                return nil
            }
            guard let bad else { return }
            if bad.count == 0 { throw unreferenced(bad.cluster) }
            throw BlockError(
                .limitExceeded,
                "a cluster has \(bad.count) references already, which is all that refcounts of \(1 << words.order) bits"
                    + " can count; delete a snapshot, or convert the image to one with wider refcounts",
                path: storage.path, offset: bad.cluster << UInt64(geometry.clusterBits))
        }
    }

    private func unreferenced(_ cluster: UInt64) -> BlockError {
        BlockError(
            .corrupt, "a cluster in use has a refcount of 0; repair the image first", path: storage.path,
            offset: cluster << UInt64(geometry.clusterBits))
    }

    private func forEachBlock(
        _ run: ClusterRun, _ body: (Int, ClusterRun) throws(BlockError) -> Void
    ) throws(BlockError) {
        var cluster = run.start
        while cluster < run.end {
            let index = geometry.blockIndex(cluster: cluster)
            let end = min(run.end, (index + 1) << UInt64(geometry.blockEntryBits))
            try body(Int(index), ClusterRun(start: cluster, count: end - cluster))
            cluster = end
        }
    }

    /// `count` adjoining clusters, now with a count of 1, for a table that is longer than a cluster. Their content is
    /// undefined.
    func allocateAdjoining(_ count: UInt64) throws(BlockError) -> ClusterRun {
        let first = try allocate(upTo: count).run
        if first.count == count { return first }
        do throws(BlockError) {
            let run = try allocateAtEnd(count)
            try release(first)
            return run
        } catch {
            try? release(first)
            throw error
        }
    }

    /// Behind everything that was ever written. The blocks that count the clusters are made first, elsewhere: with
    /// small clusters a block covers less than a long table, and is usually the first of what it covers.
    private func allocateAtEnd(_ count: UInt64) throws(BlockError) -> ClusterRun {
        if let failure { throw failure }
        while true {
            let run = ClusterRun(start: max(next, blankFrom), count: count)
            try checkLimit(run.end)
            if geometry.blockIndex(cluster: run.end - 1) >= UInt64(table.count) {
                advance(to: run.end - 1)
                try growTable()
                continue
            }
            let missing = (geometry.blockIndex(cluster: run.start)...geometry.blockIndex(cluster: run.end - 1))
                .filter { table[Int($0)] == 0 }
            // Behind the run, so that a block that is made in its own range does not lie in the middle.
            if !missing.isEmpty { advance(to: run.end) }
            for index in missing where table[Int(index)] == 0 { try makeBlockElsewhere(Int(index)) }
            var isFree = true
            for cluster in run.start..<run.end where isFree { isFree = try self.count(cluster) == 0 }
            guard isFree else {
                advance(to: run.end)
                continue
            }
            try claim(run)
            blankFrom = max(blankFrom, run.end)
            return run
        }
    }

    /// Makes block `index` in a cluster that another block counts. Stored at once, as every new block.
    private func makeBlockElsewhere(_ index: Int) throws(BlockError) {
        let cluster = try allocate(upTo: 1).run.start
        // The allocation may have made it.
        guard table[index] == 0 else { return try release(ClusterRun(start: cluster, count: 1)) }
        do throws(BlockError) {
            try makeRoom()
            let block = unsafe try blocks.pin(index) { (buffer) throws(BlockError) in
                unsafe _ = buffer.initializeMemory(as: UInt8.self, repeating: 0)
            }
            defer { blocks.unpin(index) }
            // Another try may have failed before.
            unsafe _ = block.initializeMemory(as: UInt8.self, repeating: 0)
            try unsafe storage.write(UnsafeRawBufferPointer(block), at: cluster << UInt64(geometry.clusterBits))
            blocks.markDirty(index, 0..<geometry.clusterBytes)
        } catch {
            try? release(ClusterRun(start: cluster, count: 1))
            throw error
        }
        table[index] = cluster << UInt64(geometry.clusterBits)
        unwrittenEntries.append(index)
        structures.insert(cluster)
    }
}
