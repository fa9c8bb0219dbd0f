public import BlockIO
internal import Synchronization

/// New clusters whose content others put there, without the metadata lock held meanwhile: many may be filled at once.
extension QCOW2Image: PlacingDevice {
    public var isLinear: Bool { false }

    public func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64 {
        try checkWritable()
        try checkRange(offset, length)
        // What is below, or must be told of changes, is the business of `write`.
        guard !hasBacking, !hasExternalData, !geometry.hasExtendedL2, header.extensions.bitmapDirectory == nil,
            !bitmapStore.isTracking.load(ordering: .relaxed), let file = storage as? ImageFile
        else { return 0 }
        do throws(BlockError) {
            if let host = try placeInPlace(offset, length) {
                try put(file, host.start, host.length)
                return host.length
            }
            guard let run = try reserveClusters(offset, length) else { return 0 }
            let host = run.start << UInt64(geometry.clusterBits)
            let inCluster = offset & geometry.clusterMask
            let count = min(length, run.count * geometry.clusterSize - inCluster)
            do throws(BlockError) {
                try put(file, host + inCluster, count)
            } catch {
                // Nothing refers to the new clusters: they are free again at once.
                metadata.locked {
                    pending?.placements -= 1
                    try? pending?.refcounts.release(run)
                }
                throw error
            }
            try link(run, at: offset)
            return count
        } catch { throw marked(error) }
    }

    public func noteSharing() { storage.useCache() }

    /// Where the range lies that may be overwritten; nil when its first cluster may not.
    private func placeInPlace(
        _ offset: UInt64, _ length: UInt64
    ) throws(BlockError) -> (start: UInt64, length: UInt64)? {
        mapping.lockShared()
        defer { mapping.unlock() }
        let run = try lookup(offset, most: length)
        return run.kind == .data && run.isWritable ? (run.host, run.length) : nil
    }

    /// Counts blank clusters for the unallocated entries at `offset`; nil where there are none, or none that are blank.
    private func reserveClusters(_ offset: UInt64, _ length: UInt64) throws(BlockError) -> ClusterRun? {
        metadata.lock()
        defer { metadata.unlock() }
        let pending = try beginChange()
        let index = geometry.l1Index(offset)
        if l1[index] == 0 { try addTable(index, pending) }
        let table = unsafe try pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        let first = geometry.l2Index(offset)
        let wanted = min(
            geometry.clusters((offset & geometry.clusterMask) + length), UInt64(geometry.l2Entries - first))
        var count: UInt64 = 0
        while count < wanted {
            // SAFETY: below the number of entries.
            let entry = unsafe table.load(fromByteOffset: (first + Int(count)) * 8, as: UInt64.self)
            let known = QCOW2Mapping(UInt64(bigEndian: entry), geometry)
            guard known == .unallocated || known == .zeroPlain else { break }
            count += 1
        }
        guard count > 0 else { return nil }
        let allocated = try pending.refcounts.allocate(upTo: count)
        if !allocated.areBlank {
            try pending.refcounts.release(allocated.run)
            return nil
        }
        // Others may read the file up to its end from here on; nothing names these clusters yet.
        let end = allocated.run.end << UInt64(geometry.clusterBits)
        if end > fileEnd.load(ordering: .relaxed) { fileEnd.store(end, ordering: .relaxed) }
        pending.placements += 1
        return allocated.run
    }

    /// Lets the entries from `offset` on name the clusters of `run`, whose content is there.
    private func link(_ run: ClusterRun, at offset: UInt64) throws(BlockError) {
        metadata.lock()
        defer { metadata.unlock() }
        defer { self.pending?.placements -= 1 }
        let pending = try beginChange()
        let index = geometry.l1Index(offset)
        let table = unsafe try pinTable(index)
        defer { tables.unpin(index) }
        // A snapshot may have taken a share in the table meanwhile.
        try unsafe verify(index, table, pending)
        let first = geometry.l2Index(offset)
        let host = run.start << UInt64(geometry.clusterBits)
        extendFile(to: run.end << UInt64(geometry.clusterBits))
        pending.needsDataBarrier = true
        mapping.exclusive {
            for number in 0..<Int(run.count) {
                let entry = (host + UInt64(number) * geometry.clusterSize) | QCOW2Entry.copied
                // SAFETY: the entries that `reserveClusters` found below the end of the table.
                unsafe table.storeBytes(of: entry.bigEndian, toByteOffset: (first + number) * 8, as: UInt64.self)
            }
        }
        tables.markDirty(index, first * 8..<(first + Int(run.count)) * 8)
    }
}
