public import BlockIO
internal import Synchronization

/// Source of zeroes for parts of clusters.
private let zeroes = AlignedBuffer(count: 64 << 10)

extension QCOW2Image {
    /// Whole clusters get the zero flag: with `mayUnmap` they lose their host cluster, otherwise they keep it. Version
    /// 2 has no such flag: there they are unmapped, or zeroes are written. Clusters without data stay as they are.
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, length)
        if length == 0 { return }
        let end = offset + length
        let whole = wholeClusters(offset, end)
        if whole.isEmpty || (geometry.version < 3 && !mayUnmap) { return try overwriteWithZeroes(offset, end) }
        try overwriteWithZeroes(offset, whole.lowerBound)
        try changeClusters(whole, mayUnmap ? .unmap : .keep)
        if whole.upperBound < end { try overwriteWithZeroes(whole.upperBound, end) }
    }

    /// Unmaps the clusters that lie wholly in the range; they read as zeroes. Parts of clusters stay as they are.
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, length)
        let whole = wholeClusters(offset, offset + length)
        if !whole.isEmpty { try changeClusters(whole, .discard) }
    }

    private enum Change {
        case unmap
        case keep
        case discard
    }

    /// The clusters wholly inside a range; the last cluster of the disk counts as whole when all the disk has of it is.
    private func wholeClusters(_ start: UInt64, _ end: UInt64) -> Range<UInt64> {
        let mask = geometry.clusterMask
        // Sizes are below 2^63, so nothing overflows.
        let low = (start + mask) & ~mask
        let high = end == size ? (end + mask) & ~mask : end & ~mask
        return low < high ? low..<high : low..<low
    }

    /// Writes zeroes where something is stored.
    private func overwriteWithZeroes(_ start: UInt64, _ end: UInt64) throws(BlockError) {
        var position = start
        while position < end {
            let run = try mapping.shared { () throws(BlockError) in try lookup(position, most: end - position) }
            var rest = run.kind == .hole || run.kind == .zero ? 0 : run.length
            var at = position
            while rest > 0 {
                let count = min(rest, unsafe UInt64(zeroes.bytes.count))
                // SAFETY: at most the count of a buffer that lives for ever and is never written.
                try unsafe write(UnsafeRawBufferPointer(rebasing: zeroes.bytes[..<Int(count)]), at: at)
                at += count
                rest -= count
            }
            position += run.length
        }
    }

    /// Changes whole clusters, a table at a time; a missing table is skipped with all its range.
    private func changeClusters(_ range: Range<UInt64>, _ change: Change) throws(BlockError) {
        var position = range.lowerBound
        while position < range.upperBound {
            let index = geometry.l1Index(position)
            let end = min(range.upperBound, (UInt64(index) + 1) * geometry.l2Span)
            let first = geometry.l2Index(position)
            let count = Int((end - position) >> UInt64(geometry.clusterBits))
            do throws(BlockError) {
                try metadata.locked { () throws(BlockError) in
                    if l1[index] != 0 { try changeEntries(index, first..<first + count, change) }
                }
            } catch { throw marked(error) }
            position = end
        }
    }

    /// With the metadata lock held.
    private func changeEntries(_ index: Int, _ range: Range<Int>, _ change: Change) throws(BlockError) {
        let pending = try beginChange()
        let table = unsafe try pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        // SAFETY: `range` is inside the table's entries.
        func entry(_ number: Int) -> UInt64 {
            UInt64(bigEndian: unsafe table.load(fromByteOffset: number * 8, as: UInt64.self))
        }
        var low = Int.max
        var high = 0
        for number in range {
            switch QCOW2Mapping(entry(number), geometry) {
            case .unallocated, .zeroPlain: continue
            case .zeroAllocated where change == .keep: continue
            case .compressed:
                if change == .discard { continue }
                let offset = UInt64(index) * geometry.l2Span + UInt64(number) * geometry.clusterSize
                throw compressedCluster(offset)
            default:
                low = min(low, number)
                high = number + 1
            }
        }
        guard low < high else { return }
        mapping.lockExclusive()
        for number in low..<high {
            let old = entry(number)
            var new = old
            switch QCOW2Mapping(old, geometry) {
            case .data(_, copied: true) where change == .keep: new = old | QCOW2Entry.zero
            case .zeroAllocated where change == .keep: break
            case .data(let host, _), .zeroAllocated(let host, _):
                new = geometry.version >= 3 ? QCOW2Entry.zero : 0
                pending.free(ClusterRun(start: host >> UInt64(geometry.clusterBits), count: 1))
            default: break
            }
            if new != old { unsafe table.storeBytes(of: new.bigEndian, toByteOffset: number * 8, as: UInt64.self) }
        }
        mapping.unlock()
        tables.markDirty(index, low * 8..<high * 8)
    }
}
