public import BlockIO
internal import Synchronization

// SAFETY (whole file): parts of the caller's data lie inside it, as runs are never longer than what was asked for;
// indexes into an L2 table are below its number of entries.
extension QCOW2Image {
    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, UInt64(data.count))
        do throws(BlockError) {
            var done = 0
            while done < data.count {
                done += try unsafe overwrite(UnsafeRawBufferPointer(rebasing: data[done...]), at: offset + UInt64(done))
                if done == data.count { return }
                done += try unsafe allocateAndWrite(
                    UnsafeRawBufferPointer(rebasing: data[done...]), at: offset + UInt64(done))
            }
        } catch { throw marked(error) }
    }

    /// Writes in place as far as the clusters allow it; returns how many bytes.
    private func overwrite(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) -> Int {
        mapping.lockShared()
        defer { mapping.unlock() }
        var done = 0
        while done < data.count {
            let run = try lookup(offset + UInt64(done), most: UInt64(data.count - done))
            if run.kind != .data || !run.isWritable { break }
            let count = Int(run.length)
            try unsafe storage.write(UnsafeRawBufferPointer(rebasing: data[done..<done + count]), at: run.host)
            done += count
        }
        return done
    }

    /// Writes the first part of `data`, into clusters it allocates for it; returns how many bytes: 0 when there is
    /// nothing to allocate (any more) at `offset`.
    private func allocateAndWrite(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) -> Int {
        metadata.lock()
        defer { metadata.unlock() }
        let pending = try beginChange()
        let index = geometry.l1Index(offset)
        if l1[index] == 0 { try addTable(index, pending) }
        let table = unsafe try pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        let first = geometry.l2Index(offset)
        let inCluster = offset & geometry.clusterMask
        let wanted = min(geometry.clusters(inCluster + UInt64(data.count)), UInt64(geometry.l2Entries - first))
        let target = unsafe try chooseClusters(table, first, wanted, offset, pending)
        guard target.run.count > 0 else { return 0 }
        let bytes = min(UInt64(data.count), target.run.count * geometry.clusterSize - inCluster)
        let host = target.run.start << UInt64(geometry.clusterBits)
        do throws(BlockError) {
            try fillEdges(target, inCluster, bytes)
            try unsafe storage.write(UnsafeRawBufferPointer(rebasing: data[..<Int(bytes)]), at: host + inCluster)
        } catch {
            // Nothing refers to the new clusters: they are free again at once.
            if target.isNew { try? pending.refcounts.release(target.run) }
            throw error
        }
        let end = host + target.run.count * geometry.clusterSize
        if end > fileEnd.load(ordering: .relaxed) { fileEnd.store(end, ordering: .relaxed) }
        if let old = target.old { pending.free(ClusterRun(start: old >> UInt64(geometry.clusterBits), count: 1)) }
        pending.needsDataBarrier = true
        mapping.exclusive {
            for number in 0..<Int(target.run.count) {
                let entry = (host + UInt64(number) * geometry.clusterSize) | QCOW2Entry.copied
                unsafe table.storeBytes(of: entry.bigEndian, toByteOffset: (first + number) * 8, as: UInt64.self)
            }
        }
        tables.markDirty(index, first * 8..<(first + Int(target.run.count)) * 8)
        return Int(bytes)
    }

    /// Where an allocating write goes.
    private struct Target {
        /// Adjoining host clusters; none when the first entry is writable in place.
        var run = ClusterRun(start: 0, count: 0)
        /// Allocated just now; otherwise kept by a zero entry.
        var isNew = false
        /// What the write does not cover reads as zeroes already.
        var areBlank = false
        /// Host offset of a cluster whose content the write changes and which it must not overwrite.
        var copyFrom: UInt64?
        /// Host offset of a cluster that loses its reference.
        var old: UInt64?
    }

    private func chooseClusters(
        _ table: UnsafeMutableRawBufferPointer, _ first: Int, _ wanted: UInt64, _ offset: UInt64,
        _ pending: QCOW2PendingChanges
    ) throws(BlockError) -> Target {
        func mapping(_ number: UInt64) -> QCOW2Mapping {
            let entry = unsafe table.load(fromByteOffset: (first + Int(number)) * 8, as: UInt64.self)
            return QCOW2Mapping(UInt64(bigEndian: entry), geometry)
        }
        var target = Target()
        var count: UInt64 = 1
        switch mapping(0) {
        case .data(_, copied: true): return target
        case .compressed: throw compressedCluster(offset)
        case .invalid: throw invalidEntry(offset)
        case .zeroAllocated(let host, copied: true):
            while count < wanted, case .zeroAllocated(let other, copied: true) = mapping(count),
                other == host + count << UInt64(geometry.clusterBits)
            {
                count += 1
            }
            target.run = ClusterRun(start: host >> UInt64(geometry.clusterBits), count: count)
            return target
        case .data(let host, copied: false):
            target.copyFrom = host
            target.old = host
        case .zeroAllocated(let host, copied: false): target.old = host
        case .unallocated, .zeroPlain:
            while count < wanted, mapping(count) == .unallocated || mapping(count) == .zeroPlain { count += 1 }
        }
        let allocated = try pending.refcounts.allocate(upTo: count)
        target.run = allocated.run
        target.isNew = true
        target.areBlank = allocated.areBlank
        return target
    }

    /// Gives the parts of the target clusters that a write does not cover their content.
    private func fillEdges(_ target: Target, _ head: UInt64, _ bytes: UInt64) throws(BlockError) {
        let host = target.run.start << UInt64(geometry.clusterBits)
        let tail = target.run.count * geometry.clusterSize - head - bytes
        if let source = target.copyFrom {
            let buffer = AlignedBuffer(count: geometry.clusterBytes)
            try unsafe storage.read(into: buffer.bytes, at: source)
            try unsafe storage.write(UnsafeRawBufferPointer(buffer.bytes), at: host)
        } else if !target.areBlank {
            if head > 0 { try storage.writeZeroes(at: host, length: head) }
            if tail > 0 { try storage.writeZeroes(at: host + head + bytes, length: tail) }
        }
    }
}
