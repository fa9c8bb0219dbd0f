internal import BlockIO
internal import Synchronization

/// Work on all that hangs below one L1 table: each of its L2 tables, data clusters and compressed blobs holds one
/// reference for each root (the active L1 table, those of snapshots) from which it is reached.
///
/// With the metadata lock held and all L2 tables written back, so that the file has the tables as they are.
extension QCOW2Image {
    /// A step of a walk.
    enum TreeStep {
        /// An L2 table.
        case table(UInt64)
        /// Adjoining clusters that L2 entries name.
        case data(ClusterRun)
        /// The clusters that one compressed blob touches.
        case compressed(ClusterRun)

        var run: ClusterRun {
            switch self {
            case .table(let cluster): ClusterRun(start: cluster, count: 1)
            case .data(let run), .compressed(let run): run
            }
        }
    }

    /// Visits every reference below the L1 entries `words`, always in the same order; a table comes before what it
    /// names. `.corrupt` for entries that are not legal. `body` returns false to end the walk.
    func walk(_ words: [UInt64], _ body: (TreeStep) throws(BlockError) -> Bool) throws(BlockError) {
        let buffer = AlignedBuffer(count: geometry.clusterBytes)
        for (index, word) in words.enumerated() where word != 0 {
            let offset = try tableOffset(word, index)
            guard try body(.table(offset >> UInt64(geometry.clusterBits))) else { return }
            // SAFETY: the buffer has the bytes of one table.
            let table = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<geometry.clusterBytes])
            try unsafe storage.read(into: table, at: offset)
            var joined = ClusterRun(start: 0, count: 0)
            for number in 0..<geometry.l2Entries {
                let entry = unsafe rawEntry(UnsafeRawBufferPointer(table), number)
                if entry == 0 { continue }
                guard let step = step(entry) else { throw illegal(entry, in: offset) }
                switch step {
                case .data(let run) where run.count == 0: continue
                case .data(let run) where joined.count > 0 && joined.end == run.start: joined.count += 1
                case .data(let run):
                    if joined.count > 0, try !body(.data(joined)) { return }
                    joined = run
                default: guard try body(step) else { return }
                }
            }
            if joined.count > 0, try !body(.data(joined)) { return }
        }
    }

    /// The first word of an L2 entry. Words of entries with subclusters follow at twice the distance.
    func rawEntry(_ table: UnsafeRawBufferPointer, _ number: Int) -> UInt64 {
        // SAFETY: `number` is below the entries of a table, whose bytes are all of the buffer.
        UInt64(bigEndian: unsafe table.load(fromByteOffset: number * entryStride, as: UInt64.self))
    }

    var entryStride: Int { geometry.clusterBytes / geometry.l2Entries }

    /// What an L2 entry refers to; a run of no clusters when nothing; nil when it is not legal.
    private func step(_ entry: UInt64) -> TreeStep? {
        let bits = UInt64(geometry.clusterBits)
        if entry & QCOW2Entry.compressed != 0 {
            let split = 62 - (bits - 8)
            let start = entry & ((1 << split) - 1)
            let sectors = ((entry & (QCOW2Entry.compressed - 1)) >> split) + 1
            let end = (start & ~511) + sectors * 512
            guard start < QCOW2Limits.hostEnd, start >= geometry.clusterSize else { return nil }
            return .compressed(ClusterRun(start: start >> bits, count: ((end - 1) >> bits) - (start >> bits) + 1))
        }
        let host = entry & QCOW2Entry.offsetMask
        guard entry & QCOW2Entry.l2Reserved == 0, host & geometry.clusterMask == 0 else { return nil }
        return .data(ClusterRun(start: host >> bits, count: host == 0 ? 0 : 1))
    }

    private func tableOffset(_ word: UInt64, _ index: Int) throws(BlockError) -> UInt64 {
        let offset = word & QCOW2Entry.offsetMask
        guard word & QCOW2Entry.l1Reserved == 0, offset & geometry.clusterMask == 0, offset != 0,
            offset < fileEnd.load(ordering: .relaxed)
        else {
            throw BlockError(
                .corrupt, "entry \(index) of an L1 table does not name a table inside the file; repair the image first",
                path: storage.path, offset: offset)
        }
        return offset
    }

    private func illegal(_ entry: UInt64, in table: UInt64) -> BlockError {
        BlockError(
            .corrupt, "an L2 table has an entry that is not legal; repair the image first", path: storage.path,
            offset: table)
    }

    /// Throws unless one more reference to everything below `words` is possible. Nothing but L2 tables may lie where the
    /// image's own structures are.
    func checkRetainable(_ words: [UInt64], _ refcounts: QCOW2Refcounts) throws(BlockError) {
        try walk(words) { (step) throws(BlockError) in
            try checkApart(step, refcounts)
            try refcounts.checkRetainable(step.run)
            return true
        }
    }

    /// Throws when something below `words` lies where the image's own structures are.
    func checkApart(_ words: [UInt64], _ refcounts: QCOW2Refcounts) throws(BlockError) {
        try walk(words) { (step) throws(BlockError) in
            try checkApart(step, refcounts)
            return true
        }
    }

    private func checkApart(_ step: TreeStep, _ refcounts: QCOW2Refcounts) throws(BlockError) {
        if case .table = step { return }
        for cluster in step.run.start..<step.run.end where cluster == 0 || refcounts.structures.contains(cluster) {
            throw BlockError(
                .corrupt, "an L2 entry names a structure of the image; repair the image first", path: storage.path,
                offset: cluster << UInt64(geometry.clusterBits))
        }
    }

    /// One reference more for everything below `words`: all of it or, when it throws, nothing.
    func retain(_ words: [UInt64], _ refcounts: QCOW2Refcounts) throws(BlockError) {
        var done = 0
        do throws(BlockError) {
            try walk(words) { (step) throws(BlockError) in
                try refcounts.retain(step.run)
                done += 1
                return true
            }
        } catch {
            try? release(words, refcounts, most: done)
            throw error
        }
    }

    /// One reference less for everything below `words` (the first `most` steps of the walk), which nothing durable
    /// reaches through them any more.
    func release(_ words: [UInt64], _ refcounts: QCOW2Refcounts, most: Int = .max) throws(BlockError) {
        var left = most
        // A table's entries are read after its own reference is gone: what is freed must keep its content until the
        // walk is through with it, so tables go last.
        var tables: [UInt64] = []
        try walk(words) { (step) throws(BlockError) in
            if left == 0 { return false }
            left -= 1
            if case .table(let cluster) = step {
                tables.append(cluster)
            } else {
                try refcounts.release(step.run)
            }
            return true
        }
        for table in tables {
            if try refcounts.count(table) <= 1 { refcounts.structures.remove(table) }
            try refcounts.release(ClusterRun(start: table, count: 1))
        }
    }

    /// Clears the copied bit everywhere below the active L1 table and in it, durable when this returns: from then on
    /// nothing there is written in place.
    func clearCopied() throws(BlockError) {
        for index in 0..<l1.count where l1[index] != 0 {
            try changeTable(index) { $0 & QCOW2Entry.compressed == 0 ? $0 & ~QCOW2Entry.copied : $0 }
        }
        try writeTables()
        try storage.sync()
        mapping.exclusive {
            for index in 0..<l1.count { l1[index] &= ~QCOW2Entry.copied }
        }
        try writeL1()
        try storage.sync()
    }

    /// Clears the copied bit in the L2 tables below `words`, which are not the active ones. No barrier.
    func clearCopied(below words: [UInt64]) throws(BlockError) {
        let buffer = AlignedBuffer(count: geometry.clusterBytes)
        // SAFETY: the buffer has the bytes of one table.
        let table = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<geometry.clusterBytes])
        for (index, word) in words.enumerated() where word != 0 {
            let offset = try tableOffset(word, index)
            try unsafe storage.read(into: table, at: offset)
            if unsafe !rewrite(table, { $0 & QCOW2Entry.compressed == 0 ? $0 & ~QCOW2Entry.copied : $0 }).isEmpty {
                try unsafe storage.write(UnsafeRawBufferPointer(table), at: offset)
            }
        }
    }

    /// Sets the copied bit where the refcount is 1, and clears it elsewhere, below the active L1 table and in it; durable
    /// when this returns. The refcounts must be durable before.
    func recomputeCopied(_ refcounts: QCOW2Refcounts) throws(BlockError) {
        var failure: BlockError?
        func corrected(_ entry: UInt64) -> UInt64 {
            if entry == 0 || entry & QCOW2Entry.compressed != 0 || failure != nil { return entry }
            let cluster = (entry & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)
            if cluster == 0 { return entry }
            do throws(BlockError) {
                return try refcounts.count(cluster) == 1 ? entry | QCOW2Entry.copied : entry & ~QCOW2Entry.copied
            } catch {
                failure = error
                return entry
            }
        }
        for index in 0..<l1.count where l1[index] != 0 {
            // Below a shared table everything is shared, and its bytes are a snapshot's too.
            if try refcounts.count((l1[index] & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)) > 1 { continue }
            try changeTable(index, corrected)
        }
        try writeTables()
        mapping.exclusive {
            for index in 0..<l1.count { l1[index] = corrected(l1[index]) }
        }
        try writeL1()
        try storage.sync()
        if let failure { throw failure }
    }

    /// Puts `change` of the first word of each entry into an active L2 table.
    private func changeTable(_ index: Int, _ change: (UInt64) -> UInt64) throws(BlockError) {
        let table = unsafe try pinTable(index)
        defer { tables.unpin(index) }
        let changed = mapping.exclusive { unsafe rewrite(table, change) }
        if changed.isEmpty { return }
        tables.markDirty(index, changed)
        if tables.dirtyCount >= tables.capacity / 2 { try writeTables() }
    }

    /// Returns which bytes changed.
    private func rewrite(_ table: UnsafeMutableRawBufferPointer, _ change: (UInt64) -> UInt64) -> Range<Int> {
        var low = Int.max
        var high = 0
        for number in 0..<geometry.l2Entries {
            let old = unsafe rawEntry(UnsafeRawBufferPointer(table), number)
            let new = change(old)
            if new == old { continue }
            // SAFETY: `number` is below the entries of a table.
            unsafe table.storeBytes(of: new.bigEndian, toByteOffset: number * entryStride, as: UInt64.self)
            low = min(low, number * entryStride)
            high = number * entryStride + 8
        }
        return low < high ? low..<high : 0..<0
    }

    /// Writes all changed L2 tables. No barrier.
    func writeTables() throws(BlockError) {
        try unsafe tables.writeBack { (index, bytes, at) throws(BlockError) in
            try unsafe storage.write(bytes, at: (l1[index] & QCOW2Entry.offsetMask) + UInt64(at))
        }
    }

    private func writeL1() throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(l1.count * 8)
        for index in 0..<l1.count { bytes.appendBigEndian(l1[index]) }
        if !bytes.isEmpty { try storage.store(bytes, at: l1.offset) }
    }
}
