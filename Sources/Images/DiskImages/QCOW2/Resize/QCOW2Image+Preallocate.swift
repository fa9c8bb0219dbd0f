internal import BlockIO
internal import Synchronization

extension QCOW2Image {
    /// Gives clusters without a host cluster one, so that later writes allocate nothing. They read as zeroes before and
    /// after. `.falloc` reserves the space as well, `.full` writes it.
    func preallocate(_ range: Range<UInt64>, _ preallocation: CreateOptions.Preallocation) throws(BlockError) {
        // Of a raw external data file everything must be mapped.
        let mode = isRawData && preallocation == .off ? .metadata : preallocation
        if mode == .off { return }
        if hasBacking { try storeSharedCluster(at: range) }
        let start = range.lowerBound & ~geometry.clusterMask
        let end = (range.upperBound + geometry.clusterMask) & ~geometry.clusterMask
        var position = start
        while position < end {
            let done = try metadata.locked { () throws(BlockError) in
                try preallocateRun(position, end - position, mode)
            }
            position += done
        }
    }

    /// The cluster in which the disk ended so far may show the backing file in its first part: it gets a host cluster by a
    /// write behind that end, which copies what shows. Mapped like the others it would read as zeroes there.
    private func storeSharedCluster(at range: Range<UInt64>) throws(BlockError) {
        let place = range.lowerBound
        if range.isEmpty || place & geometry.clusterMask == 0 { return }
        // Zeroes are there already. Requests on the part before go on: the write copies it under the image's locks.
        let nothing = [UInt8](repeating: 0, count: Int(min(512, range.upperBound - place)))
        // SAFETY: the array's own bytes, for the length of the call.
        let failure = unsafe nothing.withUnsafeBytes { bytes -> BlockError? in
            do throws(BlockError) {
                try unsafe writeContent(bytes, at: place)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// Maps the first clusters of a range, below one table and adjoining in the file; returns how many bytes.
    private func preallocateRun(
        _ offset: UInt64, _ length: UInt64, _ mode: CreateOptions.Preallocation
    ) throws(BlockError) -> UInt64 {
        let bits = UInt64(geometry.clusterBits)
        let pending = try beginChange()
        let index = geometry.l1Index(offset)
        if l1[index] == 0 { try addTable(index, pending) }
        let table = try unsafe pinTable(index)
        defer { tables.unpin(index) }
        try unsafe verify(index, table, pending)
        let first = geometry.l2Index(offset)
        let wanted = Int(min(length >> bits, UInt64(geometry.l2Entries - first)))
        func isFree(_ number: Int) -> Bool {
            let cell = unsafe geometry.cell(table, first + number)
            return !cell.hasHost && !cell.isCompressed
        }
        if !isFree(0) { return geometry.clusterSize }
        var count = 1
        while count < wanted, isFree(count) { count += 1 }
        var run = ClusterRun(start: offset >> bits, count: UInt64(count))
        if !hasExternalData {
            let allocated = try pending.refcounts.allocate(upTo: UInt64(count))
            run = allocated.run
            do throws(BlockError) {
                try fill(run, areBlank: allocated.areBlank, mode)
                // Where the file may not become so long, nothing names what does not fit.
                try reach(run.end << bits, pending)
            } catch {
                try? pending.refcounts.release(run)
                throw error
            }
            extendFile(to: run.end << bits)
        } else {
            try fill(run, areBlank: false, mode)
        }
        pending.needsDataBarrier = true
        mapping.exclusive {
            for number in 0..<run.count {
                var cell = QCOW2Cell()
                cell.setHost((run.start + number) << bits)
                cell.stored = geometry.allUnits
                unsafe geometry.store(cell, table, first + Int(number))
            }
        }
        tables.markDirty(index, geometry.bytes(ofEntries: first..<first + Int(run.count)))
        return run.count << bits
    }

    private func fill(
        _ run: ClusterRun, areBlank: Bool, _ mode: CreateOptions.Preallocation
    ) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        let start = run.start << bits
        // The last cluster of an external file ends with the disk.
        let length = hasExternalData ? min(run.count << bits, reach - start) : run.count << bits
        if mode == .full || (!areBlank && !hasExternalData) {
            try data.writeZeroes(at: start, length: length)
        } else if !areBlank {
            let end = data.isBlockDevice ? start + length : try data.size()
            if end < start + length { try data.truncate(to: start + length) }
            try data.zero(at: start, length: length, mayUnmap: true)
        }
        if mode == .falloc, try !data.preallocate(at: start, length: length) {
            throw BlockError(
                .unsupported, "the file system cannot reserve space; use full or metadata preallocation",
                path: data.path)
        }
    }
}
