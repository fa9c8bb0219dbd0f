internal import BlockIO

/// Free clusters below the end of the file, which earlier sessions left behind.
///
/// Refcount blocks are looked through one at a time, when an allocation finds nothing that was freed in this session.
/// Whatever a stored block calls free was made free by a change that is durable, and a count in memory goes down only
/// after its change is: so what is found here may be used at once.
extension QCOW2Refcounts {
    /// Looks for runs of free clusters in the next block, or in several small ones. An allocation looks at some 32768
    /// clusters at most: the first ones after a large image was opened stay quick.
    func findGaps() throws(BlockError) {
        var budget = 32768
        while budget > 0, recycled.isEmpty, try findGapsInBlock() { budget -= Int(clamping: geometry.blockEntries) }
    }

    /// False when all blocks were looked through.
    private func findGapsInBlock() throws(BlockError) -> Bool {
        // Blocks that do not exist count nothing. A table has a million entries at most.
        while gapBlock < table.count, table[gapBlock] == 0 { gapBlock += 1 }
        let first = UInt64(gapBlock) << UInt64(geometry.blockEntryBits)
        guard gapBlock < table.count, first < gapEnd else { return false }
        let end = min(gapEnd, first + geometry.blockEntries)
        let found = unsafe try withBlock(gapBlock) { block -> [ClusterRun] in
            var found: [ClusterRun] = []
            var run = ClusterRun(start: first, count: 0)
            for cluster in first..<end {
                // SAFETY: the range is that of the block's slots.
                let count = unsafe words.get(UnsafeRawBufferPointer(block), geometry.blockSlot(cluster: cluster))
                if count == 0 && cluster != 0 {
                    if run.count == 0 { run.start = cluster }
                    run.count += 1
                } else if run.count > 0 {
                    found.append(run)
                    run.count = 0
                }
            }
            if run.count > 0 { found.append(run) }
            return found
        }
        gapBlock += 1
        // Taken from the end: lower ones first.
        for run in found.reversed() where recycled.count < 65536 { recycled.append(run) }
        return true
    }

    /// The first free clusters of `run`, at most `most`, and what lies behind them. Of clusters that were noted as free
    /// some may have been used since.
    func usable(_ run: ClusterRun, most: UInt64) throws(BlockError) -> (run: ClusterRun, rest: ClusterRun) {
        var start = run.start
        while start < run.end, try !isFree(start) { start += 1 }
        var end = start
        while end < run.end, end - start < most, try isFree(end) { end += 1 }
        return (ClusterRun(start: start, count: end - start), ClusterRun(start: end, count: run.end - end))
    }

    /// What the counts call free and is a structure is left to whoever finds the contradiction: it is not used.
    private func isFree(_ cluster: UInt64) throws(BlockError) -> Bool {
        if structures.contains(cluster) { return false }
        return try count(cluster) == 0
    }
}
