internal import BlockIO

/// Space for compressed clusters, which lie side by side at any byte. Every cluster that one touches has a reference
/// from it.
extension QCOW2Refcounts {
    /// Space for `count` adjoining bytes, at most a cluster; returns the file offset of the first.
    func allocateBytes(_ count: UInt64) throws(BlockError) -> UInt64 {
        precondition(count > 0 && count <= geometry.clusterSize)
        let bits = UInt64(geometry.clusterBits)
        let inside = packedEnd & geometry.clusterMask
        let current = packedEnd >> bits
        // A cluster whose count is at its limit takes no more.
        let references = inside > 0 ? try self.count(current) : 0
        let isOpen = references > 0 && references < words.maximum
        if isOpen, count <= geometry.clusterSize - inside {
            try addReference(current)
            defer { packedEnd += count }
            return packedEnd
        }
        let next = try allocate(upTo: 1).run.start
        // Allocation may have cleared what it recycled; the current cluster is in use, so it stays.
        if isOpen, next == current + 1 {
            do throws(BlockError) {
                try addReference(current)
            } catch {
                try? release(ClusterRun(start: next, count: 1))
                throw error
            }
            defer { packedEnd += count }
            return packedEnd
        }
        packedEnd = next << bits + count
        return next << bits
    }

    /// One reference more for a cluster that is in use and whose count is below the limit.
    private func addReference(_ cluster: UInt64) throws(BlockError) {
        let index = Int(geometry.blockIndex(cluster: cluster))
        let slot = geometry.blockSlot(cluster: cluster)
        // SAFETY: the slot is one of the block's.
        try unsafe withBlock(index) { block in
            unsafe words.set(block, slot, words.get(UnsafeRawBufferPointer(block), slot) + 1)
        }
        blocks.markDirty(index, words.bytes(of: slot))
    }
}
