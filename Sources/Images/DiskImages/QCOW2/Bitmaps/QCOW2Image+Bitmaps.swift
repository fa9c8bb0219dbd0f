public import BlockIO
internal import Synchronization

/// Order of writes: bits, tables and a new directory | the header names it | the counts of the old ones down.
extension QCOW2Image: BitmapKeeper {
    private static let mostRanges = 1 << 24

    public func bitmaps() throws(BlockError) -> [BitmapInfo] {
        try withBitmaps { (store) throws(BlockError) in
            store.directory.entries.map { $0.info(isConsistent: isConsistent($0)) }
        }
    }

    public func createBitmap(name: String, granularity: UInt64) throws(BlockError) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count <= QCOW2BitmapEntry.mostName,
            !bytes.contains(where: { $0 < 32 || $0 == 127 })
        else {
            throw BlockError(
                .denied, "a bitmap's name has 1 to \(QCOW2BitmapEntry.mostName) bytes and no control characters")
        }
        guard granularity.nonzeroBitCount == 1,
            QCOW2BitmapEntry.granularities.contains(granularity.trailingZeroBitCount)
        else {
            throw BlockError(.unsupported, "a bitmap's granularity is a power of two from 512 bytes to 2 GiB")
        }
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            guard geometry.version >= 3 else {
                throw BlockError(.unsupported, "a version 2 image cannot keep bitmaps", path: storage.path)
            }
            guard size > 0 else {
                // qemu opens no image with a bitmap of a disk of no bytes.
                throw BlockError(.unsupported, "a disk of no bytes keeps no bitmaps", path: storage.path)
            }
            guard !store.directory.entries.contains(where: { $0.name == bytes }) else {
                throw BlockError(.exists, "there is a bitmap “\(name)” already", path: storage.path)
            }
            let bits = UInt8(granularity.trailingZeroBitCount)
            let memory = QCOW2DirtyBits.memory(size: size, granularityBits: bits)
            guard store.memory + memory <= QCOW2BitmapStore.mostMemory else {
                throw BlockError(
                    .limitExceeded, "a bitmap of this granularity takes \(memory) bytes; choose a coarser one",
                    path: storage.path)
            }
            var entry = QCOW2BitmapEntry(
                tableOffset: 0, tableEntries: 0, flags: QCOW2BitmapEntry.auto | QCOW2BitmapEntry.inUse,
                granularityBits: bits, name: bytes)
            let table = try storeEmptyTable(&entry, refcounts)
            var directory = store.directory
            // Those that missed writes say so themselves from now on: the image's bit will call them valid.
            if !store.isValid {
                for index in directory.entries.indices { directory.entries[index].flags |= QCOW2BitmapEntry.inUse }
            }
            directory.entries.append(entry)
            do throws(BlockError) {
                try replaceDirectory(directory, refcounts)
            } catch {
                try? refcounts.release(table)
                throw error
            }
            let tracked = QCOW2BitmapStore.Tracked(
                name: bytes, bits: QCOW2DirtyBits(size: size, granularityBits: bits), isEnabled: true)
            mapping.exclusive { store.track(tracked) }
        }
    }

    public func deleteBitmap(_ name: String) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            var directory = store.directory
            let entry = directory.entries.remove(at: try directory.index(of: name))
            let old = try? clusters(of: entry)
            try replaceDirectory(directory, refcounts)
            mapping.exclusive { store.stopTracking(entry.name) }
            for run in old ?? [] { try release(run, refcounts) }
        }
    }

    public func clearBitmap(_ name: String) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            var directory = store.directory
            let index = try directory.index(of: name)
            var entry = directory.entries[index]
            try checkConsistent(entry)
            if let bits = store.bits(entry.name) { return mapping.exclusive { bits.fill(false) } }
            let old = try clusters(of: entry)
            let table = try storeEmptyTable(&entry, refcounts)
            directory.entries[index] = entry
            do throws(BlockError) {
                try replaceDirectory(directory, refcounts)
            } catch {
                try? refcounts.release(table)
                throw error
            }
            for run in old { try release(run, refcounts) }
        }
    }

    public func setBitmap(_ name: String, isEnabled: Bool) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            let index = try store.directory.index(of: name)
            let entry = store.directory.entries[index]
            try checkConsistent(entry)
            if entry.isAuto == isEnabled { return }
            _ = try bitsInMemory(entry)
            var directory = store.directory
            directory.entries[index].flags ^= QCOW2BitmapEntry.auto
            try replaceDirectory(directory, refcounts)
            mapping.exclusive { store.setTracking(entry.name, isEnabled: isEnabled) }
        }
    }

    public func mergeIntoBitmap(_ name: String, _ ranges: [Range<UInt64>]) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            _ = try beginChange()
            let entry = store.directory.entries[try store.directory.index(of: name)]
            try checkConsistent(entry)
            for range in ranges { try checkRange(range.lowerBound, range.upperBound - range.lowerBound) }
            let bits = try bitsInMemory(entry)
            mapping.exclusive {
                for range in ranges where !range.isEmpty {
                    bits.set(range.lowerBound, range.upperBound - range.lowerBound)
                }
            }
        }
    }

    /// The bits of a consistent bitmap, which is in memory, and marked as in use in the file, when this returns.
    private func bitsInMemory(_ entry: QCOW2BitmapEntry) throws(BlockError) -> QCOW2DirtyBits {
        if let bits = bitmapStore.bits(entry.name) { return bits }
        // Whether it can be read is known before it is marked.
        let memory = QCOW2DirtyBits.memory(size: size, granularityBits: entry.granularityBits)
        guard bitmapStore.memory + memory <= QCOW2BitmapStore.mostMemory else {
            throw BlockError(
                .limitExceeded, "the bitmaps in use take too much memory; the image has to be closed first",
                path: storage.path)
        }
        _ = try self.bits(of: entry)
        try markBitmaps { $0.name == entry.name }
        guard let bits = bitmapStore.bits(entry.name) else {
            throw BlockError(
                .corrupt, "the bitmap “\(String(decoding: entry.name, as: UTF8.self))” cannot be read",
                path: storage.path)
        }
        return bits
    }

    public func dirtyRanges(ofBitmap name: String) throws(BlockError) -> [Range<UInt64>] {
        try withBitmaps { (store) throws(BlockError) in
            let entry = store.directory.entries[try store.directory.index(of: name)]
            try checkConsistent(entry)
            let bits: QCOW2DirtyBits
            if let own = store.bits(entry.name) { bits = own } else { bits = try self.bits(of: entry) }
            guard let ranges = mapping.exclusive({ bits.ranges(size: size, most: Self.mostRanges) }) else {
                throw BlockError(
                    .limitExceeded, "the bitmap has more than \(Self.mostRanges) ranges", path: storage.path)
            }
            return ranges
        }
    }

    /// Stores the bitmaps that are in memory when the image is closed. A failure leaves them marked as in use, which is
    /// what they are then; the disk's data is durable already.
    func storeBitmaps() {
        guard let pending, !bitmapStore.tracked.isEmpty, pending.refcounts.failure == nil,
            !isCorrupt.load(ordering: .relaxed)
        else { return }
        let refcounts = pending.refcounts
        var made: [ClusterRun] = []
        var old: [ClusterRun] = []
        do throws(BlockError) {
            var directory = bitmapStore.directory
            for bitmap in bitmapStore.tracked {
                guard let index = directory.entries.firstIndex(where: { $0.name == bitmap.name }) else { continue }
                old += (try? clusters(of: directory.entries[index])) ?? []
                try store(bitmap.bits, for: &directory.entries[index], refcounts, &made)
                directory.entries[index].flags &= ~QCOW2BitmapEntry.inUse
            }
            try replaceDirectory(directory, refcounts)
        } catch {
            for run in made { try? refcounts.release(run) }
            return
        }
        for run in old { try? release(run, refcounts) }
    }

    private func withBitmaps<T>(
        _ body: (QCOW2BitmapStore) throws(BlockError) -> T
    ) throws(BlockError) -> T {
        try checkUsable()
        return try metadata.locked { () throws(BlockError) in
            loadBitmaps()
            if let damage = bitmapStore.damage { throw damage.at(path: storage.path) }
            return try body(bitmapStore)
        }
    }

    private func isConsistent(_ entry: QCOW2BitmapEntry) -> Bool {
        bitmapStore.isValid && entry.isUnderstood && (!entry.isInUse || bitmapStore.bits(entry.name) != nil)
    }

    private func checkConsistent(_ entry: QCOW2BitmapEntry) throws(BlockError) {
        guard isConsistent(entry) else {
            throw BlockError(
                .corrupt,
                "the bitmap “\(String(decoding: entry.name, as: UTF8.self))” missed writes and is of no more use; delete it",
                path: storage.path)
        }
    }

    /// A new table without any bits.
    private func storeEmptyTable(
        _ entry: inout QCOW2BitmapEntry, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) -> ClusterRun {
        let count = entry.clusters(forSize: size, geometry)
        let run = try allocateTable(Int(count * 8), refcounts)
        do throws(BlockError) {
            try storeTable([UInt64](repeating: 0, count: Int(count)), in: run)
        } catch {
            try? refcounts.release(run)
            throw error
        }
        entry.tableOffset = run.start << UInt64(geometry.clusterBits)
        entry.tableEntries = UInt32(count)
        return run
    }

    private func store(
        _ bits: QCOW2DirtyBits, for entry: inout QCOW2BitmapEntry, _ refcounts: QCOW2Refcounts,
        _ made: inout [ClusterRun]
    ) throws(BlockError) {
        let shift = UInt64(geometry.clusterBits)
        var table: [UInt64] = []
        for number in 0..<Int(entry.clusters(forSize: size, geometry)) {
            let bytes = bits.bytes(cluster: number, of: geometry.clusterBytes)
            if bytes.allSatisfy({ $0 == 0 }) {
                table.append(0)
            } else {
                let run = try allocateTable(geometry.clusterBytes, refcounts)
                made.append(run)
                try store(table: bytes, in: run)
                table.append(run.start << shift)
            }
        }
        let run = try allocateTable(table.count * 8, refcounts)
        made.append(run)
        try storeTable(table, in: run)
        entry.tableOffset = run.start << shift
        entry.tableEntries = UInt32(table.count)
    }

    /// Makes a directory the image's, durable when this returns, and frees the old one.
    private func replaceDirectory(
        _ new: QCOW2BitmapDirectory, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) {
        let shift = UInt64(geometry.clusterBits)
        var directory = new
        let bytes = try directory.encoded()
        let run = bytes.isEmpty ? nil : try allocateTable(bytes.count, refcounts)
        do throws(BlockError) {
            if let run { try store(table: bytes, in: run) }
            try writeCounts(refcounts)
        } catch {
            if let run { try? refcounts.release(run) }
            throw error
        }
        let old = ClusterRun(start: directory.offset >> shift, count: geometry.clusters(directory.length))
        directory.offset = run.map { $0.start << shift } ?? 0
        directory.length = UInt64(bytes.count)
        let count = UInt32(directory.entries.count)
        let place = (offset: directory.offset, length: directory.length)
        try rewriteHeader { header in
            header.extensions.bitmapDirectory = count == 0 ? nil : place
            header.extensions.bitmapCount = count
            header.autoclear &= ~Self.bitmapsAutoclear
            if count > 0 { header.autoclear |= Self.bitmapsAutoclear }
        }
        bitmapStore.directory = directory
        bitmapStore.isValid = count > 0
        if let run { for cluster in run.start..<run.end { refcounts.structures.insert(cluster) } }
        if old.count > 0 { try release(old, refcounts) }
    }

    /// Rewrites the header as the file has it with `change`, durable when this returns. When it fails nobody knows which
    /// header the file has: nothing is written any more.
    func rewriteHeader(_ change: (inout QCOW2Header) -> Void) throws(BlockError) {
        guard let pending else { return }
        var header = try Self.readHeader(storage, fileSize: try storage.size())
        change(&header)
        // What does not fit is found before anything is written.
        _ = try header.encoded()
        do throws(BlockError) {
            try header.rewrite(on: storage)
        } catch {
            pending.refcounts.failure = error
            throw error
        }
        pending.header = header
    }

    private func release(_ run: ClusterRun, _ refcounts: QCOW2Refcounts) throws(BlockError) {
        for cluster in run.start..<run.end { refcounts.structures.remove(cluster) }
        try refcounts.release(run)
    }

    /// What a bitmap occupies: its table and the clusters of its bits.
    private func clusters(of entry: QCOW2BitmapEntry) throws(BlockError) -> [ClusterRun] {
        let shift = UInt64(geometry.clusterBits)
        let count = UInt64(entry.tableEntries)
        guard count * 8 <= QCOW2Limits.bitmapDirectoryBytes else {
            throw BlockError(.limitExceeded, "the bitmap's table is too long", offset: entry.tableOffset)
        }
        var runs = [ClusterRun(start: entry.tableOffset >> shift, count: geometry.clusters(count * 8))]
        for word in try storage.words(at: entry.tableOffset, count: Int(count)) {
            let host = word & QCOW2Entry.offsetMask
            if host != 0, host & geometry.clusterMask == 0 { runs.append(ClusterRun(start: host >> shift, count: 1)) }
        }
        return runs
    }
}
