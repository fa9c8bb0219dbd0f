internal import BlockIO

/// The stored refcounts, beside the references counted.
extension QCOW2Checker {
    /// Calls `body` with stored counts of consecutive clusters of the window: the first cluster, and the counts.
    /// Clusters that no refcount block counts come as an empty list with their number.
    private func forEachStored(
        _ body: (ClusterRun, UnsafeBufferPointer<UInt64>?) throws(BlockError) -> Void
    ) throws(BlockError) {
        let slice: UInt64 = 4096
        let scratch = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: Int(slice))
        defer { unsafe scratch.deallocate() }
        let block = AlignedBuffer(count: geometry.clusterBytes)
        var cluster = window.base
        let end = window.base + window.count
        while cluster < end {
            try checkCancelled()
            let index = geometry.blockIndex(cluster: cluster)
            let blockEnd = min(end, (index + 1) << UInt64(geometry.blockEntryBits))
            guard index < UInt64(refcountTable.count), refcountTable[Int(index)] != 0 else {
                try body(ClusterRun(start: cluster, count: blockEnd - cluster), nil)
                cluster = blockEnd
                continue
            }
            try unsafe storage.read(into: block.bytes, at: refcountTable[Int(index)])
            while cluster < blockEnd {
                let count = min(slice, blockEnd - cluster)
                // SAFETY: the slots are those of one block, and `count` is at most the scratch's capacity.
                unsafe words.decode(
                    UnsafeRawBufferPointer(block.bytes), from: geometry.blockSlot(cluster: cluster),
                    into: UnsafeMutableBufferPointer(rebasing: scratch[..<Int(count)]))
                try unsafe body(
                    ClusterRun(start: cluster, count: count),
                    UnsafeBufferPointer(rebasing: scratch[..<Int(count)]))
                cluster += count
            }
        }
    }

    /// Notes which clusters have a stored count of exactly 1.
    func loadStoredCounts() throws(BlockError) {
        unsafe try forEachStored { (run, counts) throws(BlockError) in
            guard let counts = unsafe counts else { return }
            for index in 0..<Int(run.count) where unsafe counts[index] == 1 {
                window.setOnce(run.start + UInt64(index))
            }
        }
    }

    func compareCounts() throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        var last: UInt64?
        let limit = storage.isBlockDevice ? wholeClusters : 0
        unsafe try forEachStored { (run, counts) throws(BlockError) in
            // Consecutive clusters of one call are those of one block.
            var isUsed = false
            defer {
                // What no table can name needs no memory: a rebuild, which needs room behind it, refuses the image.
                let index = geometry.blockIndex(cluster: run.start)
                if isUsed, index < QCOW2Limits.refcountTableBytes / 8 { usedBlocks.insert(Int(index)) }
            }
            for number in 0..<run.count {
                let cluster = run.start + number
                let references = window.references(cluster)
                var stored: UInt64 = 0
                if let counts = unsafe counts { stored = unsafe counts[Int(number)] }
                if keepsCounts && cluster < fileClusters { isUsed = true }
                if references > 0 {
                    isUsed = true
                    if stored == references {
                        last = cluster
                        continue
                    }
                    if unsafe counts == nil { needsRebuild = true }
                }
                // Counts past the end of the file are nobody's business.
                if cluster == fileClusters && references == 0 { continue }
                if references > 0 || stored > 0 {
                    last = cluster
                } else if cluster < limit {
                    QCOW2FreeRuns.note(cluster, in: &gaps)
                }
                if references == stored { continue }
                if references > words.maximum {
                    report.add(
                        .corruption, "\(references) references to a cluster are more than its refcount can say",
                        offset: cluster << bits)
                    if stored == words.maximum { continue }
                }
                if stored > references {
                    report.add(
                        .leak, "a cluster has refcount \(stored) and \(references) references", offset: cluster << bits)
                } else {
                    report.add(
                        .corruption, "a cluster has refcount \(stored) and \(references) references",
                        offset: cluster << bits)
                    countProblems += 1
                }
            }
        }
        if let last { highestCluster = last }
    }

    /// The first cluster of the window that a snapshot refers to, and whose stored count is below its references: it would be
    /// written over where the disk shares it, or taken for free.
    func firstUncounted() throws(BlockError) -> UInt64? {
        var found: UInt64?
        unsafe try forEachStored { (run, counts) throws(BlockError) in
            if found != nil { return }
            for number in 0..<run.count where window.isKept(run.start + number) {
                var stored: UInt64 = 0
                if let counts = unsafe counts { stored = unsafe counts[Int(number)] }
                if stored >= window.references(run.start + number) { continue }
                found = run.start + number
                return
            }
        }
        return found
    }

    /// Makes the stored counts of the window right where they are: first those that are too low, then, when these are
    /// durable, with `lowers` those that are too high.
    func correctCounts(raises: Bool, lowers: Bool) throws(BlockError) {
        for isRaise in [true, false] where isRaise ? raises : lowers {
            var hasWritten = false
            let block = AlignedBuffer(count: geometry.clusterBytes)
            var cluster = window.base
            let end = min(window.base + window.count, fileClusters + 1)
            while cluster < end {
                try checkCancelled()
                let index = geometry.blockIndex(cluster: cluster)
                let blockEnd = min(end, (index + 1) << UInt64(geometry.blockEntryBits))
                if index < UInt64(refcountTable.count), refcountTable[Int(index)] != 0 {
                    let offset = refcountTable[Int(index)]
                    try unsafe storage.read(into: block.bytes, at: offset)
                    if let changed = unsafe correct(block.bytes, cluster..<blockEnd, isRaise) {
                        let part = unsafe UnsafeRawBufferPointer(rebasing: block.bytes[changed])
                        try unsafe storage.write(part, at: offset + UInt64(changed.lowerBound))
                        hasWritten = true
                    }
                }
                cluster = blockEnd
            }
            if hasWritten { try storage.sync() }
        }
    }

    /// Changes counts in a block; returns the bytes that changed, in whole sectors.
    private func correct(
        _ block: UnsafeMutableRawBufferPointer, _ range: Range<UInt64>, _ isRaise: Bool
    ) -> Range<Int>? {
        var low = Int.max
        var high = 0
        for cluster in range {
            let slot = geometry.blockSlot(cluster: cluster)
            let references = min(window.references(cluster), words.maximum)
            // SAFETY: the range is that of one block's slots.
            let stored = unsafe words.get(UnsafeRawBufferPointer(block), slot)
            guard isRaise ? stored < references : stored > references else { continue }
            if cluster == fileClusters && references == 0 { continue }
            unsafe words.set(block, slot, references)
            low = min(low, words.bytes(of: slot).lowerBound & ~511)
            high = max(high, (words.bytes(of: slot).upperBound + 511) & ~511)
        }
        return low < high ? low..<high : nil
    }
}

extension RefcountWords {
    /// Reads consecutive counts from slot `first` on.
    // SAFETY: callers pass slots that the block has.
    func decode(_ block: UnsafeRawBufferPointer, from first: Int, into counts: UnsafeMutableBufferPointer<UInt64>) {
        guard order == 4 else {
            for index in 0..<counts.count { unsafe counts[index] = unsafe get(block, first + index) }
            return
        }
        let words = unsafe block.assumingMemoryBound(to: UInt16.self)
        for index in 0..<counts.count { unsafe counts[index] = UInt64(UInt16(bigEndian: words[first + index])) }
    }
}
