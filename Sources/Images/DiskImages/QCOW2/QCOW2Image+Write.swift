public import BlockIO
internal import Synchronization

// SAFETY (whole file): parts of the caller's data lie inside it, as runs are never longer than what was asked for;
// indexes into an L2 table are below its number of entries.
extension QCOW2Image {
    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, UInt64(data.count))
        defer { noteChange(offset, UInt64(data.count)) }
        try unsafe writeContent(data, at: offset)
    }

    /// A write within `reach` that no bitmap has to know of, or that is noted by the caller.
    func writeContent(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsyncedBytes.wrappingAdd(UInt64(data.count), ordering: .relaxed)
        do throws(BlockError) {
            var done = 0
            while done < data.count {
                unsafe done += try overwrite(UnsafeRawBufferPointer(rebasing: data[done...]), at: offset + UInt64(done))
                if done == data.count { return }
                unsafe done += try allocateAndWrite(
                    UnsafeRawBufferPointer(rebasing: data[done...]), at: offset + UInt64(done))
            }
        } catch { throw marked(error) }
    }

    /// Writes in place as far as the clusters allow it; returns how many bytes.
    private func overwrite(_ content: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) -> Int {
        mapping.lockShared()
        defer { mapping.unlock() }
        var done = 0
        while done < content.count {
            let run = try lookup(offset + UInt64(done), most: UInt64(content.count - done))
            if run.kind != .data || !run.isWritable { break }
            let count = Int(run.length)
            try unsafe data.write(UnsafeRawBufferPointer(rebasing: content[done..<done + count]), at: run.host)
            done += count
        }
        return done
    }

    /// Writes the first part of `content`, into clusters it allocates for it; returns how many bytes: 0 when there is
    /// nothing to allocate (any more) at `offset`.
    private func allocateAndWrite(_ content: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) -> Int {
        metadata.lock()
        defer { metadata.unlock() }
        let pending = try beginChange()
        let index = geometry.l1Index(offset)
        if l1[index] == 0 { try addTable(index, pending) }
        let table = try unsafe pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        let first = geometry.l2Index(offset)
        let inCluster = offset & geometry.clusterMask
        let wanted = min(geometry.clusters(inCluster + UInt64(content.count)), UInt64(geometry.l2Entries - first))
        guard let target = try unsafe chooseClusters(table, first, wanted, offset, pending) else { return 0 }
        let bytes = min(UInt64(content.count), target.run.count * geometry.clusterSize - inCluster)
        let host = target.run.start << UInt64(geometry.clusterBits)
        do throws(BlockError) {
            let part = unsafe UnsafeRawBufferPointer(rebasing: content[..<Int(bytes)])
            if target.first.isCompressed {
                try unsafe mergeCompressed(target.first.compressed, part, offset, into: host)
            } else {
                try fillEdges(target, offset, bytes)
                try unsafe data.write(part, at: host + inCluster)
            }
        } catch {
            // Nothing refers to the new clusters: they are free again at once.
            if target.isNew { try? pending.refcounts.release(target.run) }
            throw error
        }
        if !hasExternalData { extendFile(to: host + target.run.count * geometry.clusterSize) }
        if let old = target.old { pending.free(old) }
        pending.needsDataBarrier = true
        let end = inCluster + bytes
        mapping.exclusive {
            for number in 0..<target.run.count {
                var cell = unsafe geometry.cell(table, first + Int(number))
                let start = number * geometry.clusterSize
                let low = number == 0 ? inCluster : 0
                let touched =
                    cell.isCompressed
                    ? geometry.allUnits
                    : geometry.units(low..<min(end - start, geometry.clusterSize))
                cell.setHost(host + start)
                cell.stored |= touched
                cell.zero &= ~touched
                unsafe geometry.store(cell, table, first + Int(number))
            }
        }
        tables.markDirty(index, geometry.bytes(ofEntries: first..<first + Int(target.run.count)))
        return Int(bytes)
    }

    /// Notes that the image names clusters up to `end`. With the metadata lock held.
    func extendFile(to end: UInt64) {
        if let pending, end > pending.namedEnd { pending.namedEnd = end }
        if end > fileEnd.load(ordering: .relaxed) { fileEnd.store(end, ordering: .relaxed) }
    }

    /// Where an allocating write goes.
    struct Target {
        /// Adjoining host clusters.
        var run = ClusterRun(start: 0, count: 0)
        /// Allocated just now; otherwise kept by the entries.
        var isNew = false
        /// What the write does not cover reads as zeroes already.
        var areBlank = false
        /// Host offset of a cluster whose content the write changes and which it must not overwrite.
        var copyFrom: UInt64?
        /// Clusters that lose a reference.
        var old: ClusterRun?
        /// The entries of the first and the last cluster.
        var first = QCOW2Cell()
        var last = QCOW2Cell()
    }

    /// Nil when the first unit is writable in place.
    private func chooseClusters(
        _ table: UnsafeMutableRawBufferPointer, _ first: Int, _ wanted: UInt64, _ offset: UInt64,
        _ pending: QCOW2PendingChanges
    ) throws(BlockError) -> Target? {
        let bits = UInt64(geometry.clusterBits)
        func cell(_ number: UInt64) -> QCOW2Cell { unsafe geometry.cell(table, first + Int(number)) }
        var target = Target()
        target.first = cell(0)
        target.last = target.first
        if target.first.isInvalid { throw invalidEntry(offset) }
        var count: UInt64 = 1
        if hasExternalData {
            // The place of a cluster is its guest offset; what lies there and is not stored may be anything.
            let start = offset >> bits
            if target.first.hasHost, target.first.host != start << bits { throw invalidEntry(offset) }
            if target.first.stored & geometry.unit(offset) != 0 { return nil }
            while count < wanted {
                let next = cell(count)
                if next.isInvalid || next.hasHost { break }
                target.last = next
                count += 1
            }
            target.run = ClusterRun(start: start, count: count)
            return target
        }
        if target.first.isCompressed {
            target.old = QCOW2CompressedBlob(entry: target.first.compressed, geometry).clusters(geometry)
        } else if target.first.hasHost, target.first.copied {
            if target.first.stored & geometry.unit(offset) != 0 { return nil }
            while !geometry.hasExtendedL2, count < wanted {
                let next = cell(count)
                guard !next.isInvalid, next.copied, next.zero != 0, next.host == target.first.host + count << bits
                else { break }
                target.last = next
                count += 1
            }
            target.run = ClusterRun(start: target.first.host >> bits, count: count)
            return target
        } else if target.first.hasHost {
            if target.first.stored != 0 { target.copyFrom = target.first.host }
            target.old = ClusterRun(start: target.first.host >> bits, count: 1)
        } else {
            while count < wanted {
                let next = cell(count)
                if next.isInvalid || next.hasHost || next.isCompressed { break }
                count += 1
            }
        }
        let allocated = try pending.refcounts.allocate(upTo: count)
        target.run = allocated.run
        target.isNew = true
        target.areBlank = allocated.areBlank
        target.last = cell(allocated.run.count - 1)
        return target
    }

    /// Gives what a write of `bytes` at `offset` does not cover of the units it touches its content.
    private func fillEdges(_ target: Target, _ offset: UInt64, _ bytes: UInt64) throws(BlockError) {
        let host = target.run.start << UInt64(geometry.clusterBits)
        let inCluster = offset & geometry.clusterMask
        let start = offset - inCluster
        let end = inCluster + bytes
        let runEnd = target.run.count * geometry.clusterSize
        if let source = target.copyFrom {
            // A single cluster: `end` lies inside it.
            for part in [0..<inCluster, end..<runEnd]
            where !part.isEmpty && target.first.stored & geometry.units(part) != 0 {
                let buffer = AlignedBuffer(count: Int(part.upperBound - part.lowerBound))
                let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<part.count])
                try unsafe storage.read(into: bytes, at: source + part.lowerBound)
                try unsafe data.write(UnsafeRawBufferPointer(bytes), at: host + part.lowerBound)
            }
        }
        // What was copied brought along the bytes of units that are not stored.
        let isBlank = target.areBlank && target.copyFrom == nil
        let head = inCluster & ~geometry.unitMask..<inCluster
        if !head.isEmpty { try fill(head, host, start, target.first, blank: isBlank) }
        let tail = end..<(end + geometry.unitMask) & ~geometry.unitMask
        if !tail.isEmpty { try fill(tail, host, start, target.last, blank: isBlank) }
    }

    /// Fills bytes `range` of the clusters at `host`, whose first guest byte is `guest`, and which lie in one unit.
    private func fill(
        _ range: Range<UInt64>, _ host: UInt64, _ guest: UInt64, _ cell: QCOW2Cell, blank: Bool
    ) throws(BlockError) {
        var range = range
        let low = range.lowerBound & geometry.clusterMask
        let unit = geometry.units(low..<low + UInt64(range.count))
        if cell.stored & unit != 0 { return }
        let offset = guest + range.lowerBound
        if hasExternalData {
            // The data file is as long as the disk.
            if offset >= reach { return }
            range = range.lowerBound..<min(range.upperBound, reach - guest)
        }
        if cell.zero & unit == 0, let parent, offset < min(parent.size, reach) {
            let buffer = AlignedBuffer(count: range.count)
            let content = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<range.count])
            // What the parent has past the end of this disk must not show when the disk grows.
            let visible = Int(min(UInt64(range.count), reach - offset))
            try unsafe readParent(into: UnsafeMutableRawBufferPointer(rebasing: content[..<visible]), at: offset)
            if unsafe blank && isZero(UnsafeRawBufferPointer(content)) { return }
            try unsafe data.write(UnsafeRawBufferPointer(content), at: host + range.lowerBound)
        } else if !blank {
            try data.writeZeroes(at: host + range.lowerBound, length: UInt64(range.count))
        }
    }
}
