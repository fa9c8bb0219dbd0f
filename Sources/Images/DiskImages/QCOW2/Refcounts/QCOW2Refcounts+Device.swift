internal import BlockIO

/// Images directly on a block device, whose length says nothing of what is in use and which cannot grow.
extension QCOW2Refcounts {
    /// Allocates behind the last cluster that is in use, and before it what earlier sessions freed; none at or after `limit`.
    func stay(inside limit: UInt64) throws(BlockError) {
        self.limit = limit
        for index in table.indices.reversed() where table[index] != 0 {
            let first = UInt64(index) << UInt64(geometry.blockEntryBits)
            let entries = Int(geometry.blockEntries)
            // SAFETY: the slots are those of the block.
            let last = try unsafe withBlock(index) { block in
                (0..<entries).last { unsafe words.get(UnsafeRawBufferPointer(block), $0) != 0 }
            }
            if let last {
                advance(to: first + UInt64(last) + 1)
                gapEnd = next
                return
            }
        }
    }
}
