internal import BlockIO

extension QCOW2Refcounts {
    /// Makes the file end behind the last cluster in use: returns that cluster's successor, from where allocation goes
    /// on, or nil when the file cannot become shorter. The caller truncates it there before anything is allocated, and
    /// has made all counts durable.
    func cutEnd() throws(BlockError) -> UInt64? {
        let old = max(next, blankFrom)
        var end = old
        while end > 0 {
            let index = Int(geometry.blockIndex(cluster: end - 1))
            let first = UInt64(index) << UInt64(geometry.blockEntryBits)
            guard index < table.count, table[index] != 0 else {
                end = first
                continue
            }
            let last = end
            let used = unsafe try withBlock(index) { block -> UInt64? in
                var cluster = last
                while cluster > first {
                    // SAFETY: a slot of the block.
                    let slot = geometry.blockSlot(cluster: cluster - 1)
                    if unsafe words.get(UnsafeRawBufferPointer(block), slot) != 0 { return cluster }
                    cluster -= 1
                }
                return nil
            }
            if let used {
                end = used
                break
            }
            end = first
        }
        guard end < old, end > 0 else { return nil }
        recycled = recycled.compactMap { run in
            run.start >= end ? nil : ClusterRun(start: run.start, count: min(run.count, end - run.start))
        }
        if packedEnd >> UInt64(geometry.clusterBits) >= end { packedEnd = 0 }
        restart(at: end)
        return end
    }
}
