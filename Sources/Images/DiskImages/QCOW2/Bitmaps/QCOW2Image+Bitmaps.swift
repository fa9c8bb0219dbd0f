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
            var directory = try directoryToChange(refcounts)
            let table = try storeEmptyTable(&entry, refcounts)
            directory.entries.append(entry)
            let old: QCOW2BitmapRuns
            do throws(BlockError) {
                old = try replaceDirectory(directory, refcounts)
            } catch {
                takeBack(table, refcounts)
                throw error
            }
            let tracked = QCOW2BitmapStore.Tracked(
                name: bytes, bits: QCOW2DirtyBits(size: size, granularityBits: bits), isEnabled: true)
            store.madeNames.insert(bytes)
            mapping.exclusive { store.track([tracked]) }
            try release(old, refcounts)
        }
    }

    public func deleteBitmap(_ name: String) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            let entry = store.directory.entries[try store.directory.index(of: name)]
            var directory = try directoryToChange(refcounts)
            // One that is not taken over has nothing to give back.
            let isTakenOver = directory.entries.contains { $0.name == entry.name }
            directory.entries.removeAll { $0.name == entry.name }
            var old = QCOW2BitmapRuns()
            if isTakenOver, let runs = try? clusters(of: entry) {
                old.add(runs, isMade: isMade(entry))
            }
            old.add(try replaceDirectory(directory, refcounts))
            store.madeNames.remove(entry.name)
            mapping.exclusive { store.stopTracking(entry.name) }
            try release(old, refcounts)
        }
    }

    public func clearBitmap(_ name: String) throws(BlockError) {
        try withBitmaps { (store) throws(BlockError) in
            let refcounts = try beginChange().refcounts
            var directory = store.directory
            let index = try directory.index(of: name)
            var entry = directory.entries[index]
            try checkConsistent(entry)
            if let bits = store.bits(entry.name) { return mapping.exclusive { store.clear(bits) } }
            var old = QCOW2BitmapRuns()
            old.add(try clusters(of: entry), isMade: isMade(entry))
            let table = try storeEmptyTable(&entry, refcounts)
            directory.entries[index] = entry
            do throws(BlockError) {
                old.add(try replaceDirectory(directory, refcounts))
            } catch {
                takeBack(table, refcounts)
                throw error
            }
            store.madeNames.insert(entry.name)
            try release(old, refcounts)
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
            let old = try replaceDirectory(directory, refcounts)
            mapping.exclusive { store.setTracking(entry.name, isEnabled: isEnabled) }
            try release(old, refcounts)
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
    /// what they are then; the disk's data is durable already. So does a bitmap whose place in the file is somebody
    /// else's, too: what was read there may be no bits, and nothing of it is given back. Where the file has the bits already,
    /// only the marks go.
    func storeBitmaps() {
        guard let pending, !bitmapStore.tracked.isEmpty, pending.refcounts.failure == nil,
            !isCorrupt.load(ordering: .relaxed)
        else { return }
        let refcounts = pending.refcounts
        var made: [ClusterRun] = []
        var old = QCOW2BitmapRuns()
        var contested: Set<UInt64>?
        do throws(BlockError) {
            var directory = bitmapStore.directory
            var places: [(index: Int, bits: QCOW2DirtyBits, runs: [ClusterRun])] = []
            for (index, entry) in bitmapStore.directory.entries.enumerated() {
                guard let own = bitmapStore.bits(entry.name) else { continue }
                if UInt64(entry.tableEntries) == entry.clusters(forSize: size, geometry),
                    let stored = try? bits(of: entry), stored.isEqual(to: own)
                {
                    directory.entries[index].flags &= ~QCOW2BitmapEntry.inUse
                } else if let runs = try? clusters(of: entry) {
                    places.append((index, own, runs))
                }
            }
            if places.isEmpty { return try replaceMarks(directory) }
            var present = presentDirectory
            for place in places { present.add(place.runs, isMade: isMade(directory.entries[place.index])) }
            contested = try contestedClusters(present, besides: Set(places.map { directory.entries[$0.index].name }))
            for place in places {
                let isContested = place.runs.contains { run in
                    (run.start..<run.end).contains { contested?.contains($0) == true }
                }
                if isContested { continue }
                try store(place.bits, for: &directory.entries[place.index], refcounts, &made)
                directory.entries[place.index].flags &= ~QCOW2BitmapEntry.inUse
                old.add(place.runs, isMade: isMade(directory.entries[place.index]))
            }
            old.add(try replaceDirectory(directory, refcounts))
        } catch {
            for run in made { takeBack(run, refcounts) }
            return
        }
        // What cannot be given back now is leaked; a check finds it.
        try? release(old, but: contested, refcounts)
    }

    private func isMade(_ entry: QCOW2BitmapEntry) -> Bool { bitmapStore.madeNames.contains(entry.name) }

    /// The directory where it is, with other flags, each of which lies within a sector: durable when this returns.
    private func replaceMarks(_ directory: QCOW2BitmapDirectory) throws(BlockError) {
        try storage.store(try directory.encoded(), at: directory.offset)
        try storage.sync()
        bitmapStore.directory = directory
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

    /// Clusters for a table, bits or a directory, which nothing names yet.
    private func take(_ bytes: Int, _ refcounts: QCOW2Refcounts) throws(BlockError) -> ClusterRun {
        let run = try allocateTable(bytes, refcounts)
        bitmapStore.made.formUnion(run.start..<run.end)
        return run
    }

    /// Nothing has come to name them.
    private func takeBack(_ run: ClusterRun, _ refcounts: QCOW2Refcounts) {
        bitmapStore.made.subtract(run.start..<run.end)
        try? refcounts.release(run)
    }

    /// A new table without any bits.
    private func storeEmptyTable(
        _ entry: inout QCOW2BitmapEntry, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) -> ClusterRun {
        let count = entry.clusters(forSize: size, geometry)
        let run = try take(Int(count * 8), refcounts)
        do throws(BlockError) {
            try storeTable([UInt64](repeating: 0, count: Int(count)), in: run)
        } catch {
            takeBack(run, refcounts)
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
                let run = try take(geometry.clusterBytes, refcounts)
                made.append(run)
                try store(table: bytes, in: run)
                table.append(run.start << shift)
            }
        }
        let run = try take(table.count * 8, refcounts)
        made.append(run)
        try storeTable(table, in: run)
        entry.tableOffset = run.start << shift
        entry.tableEntries = UInt32(table.count)
    }

    /// The directory that a change begins with. Where the image does not call its bitmaps valid any more it will do so
    /// again after the change; so each says itself that it missed writes. Whoever wrote to the image without knowing
    /// them may have used their clusters, too: a bitmap of which that is so is not taken over.
    private func directoryToChange(_ refcounts: QCOW2Refcounts) throws(BlockError) -> QCOW2BitmapDirectory {
        var directory = bitmapStore.directory
        if bitmapStore.isValid { return directory }
        var kept: [QCOW2BitmapEntry] = []
        // One look at everything for all of them together.
        if let runs = clusters(of: directory.entries),
            let contested = try contestedClusters(
                QCOW2BitmapRuns(ofDoubtful: runs.flatMap { $0 ?? [] }), besides: Set(directory.entries.map(\.name)))
        {
            for (entry, runs) in zip(directory.entries, runs) {
                guard let runs, !runs.contains(where: { ($0.start..<$0.end).contains(where: contested.contains) })
                else {
                    continue
                }
                kept.append(entry)
                kept[kept.count - 1].flags |= QCOW2BitmapEntry.inUse
                for cluster in runs[0].start..<runs[0].end { refcounts.structures.insert(cluster) }
            }
        }
        directory.entries = kept
        return directory
    }

    /// Makes a directory the image's, durable when this returns. The old one is to be released then.
    private func replaceDirectory(
        _ new: QCOW2BitmapDirectory, _ refcounts: QCOW2Refcounts
    ) throws(BlockError) -> QCOW2BitmapRuns {
        var directory = new
        let bytes = try directory.encoded()
        let run = bytes.isEmpty ? nil : try take(bytes.count, refcounts)
        do throws(BlockError) {
            if let run { try store(table: bytes, in: run) }
            try writeCounts(refcounts)
        } catch {
            if let run { takeBack(run, refcounts) }
            throw error
        }
        let old = presentDirectory
        directory.offset = run.map { $0.start << UInt64(geometry.clusterBits) } ?? 0
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
        bitmapStore.directoryIsMade = true
        bitmapStore.isValid = count > 0
        if let run { for cluster in run.start..<run.end { refcounts.structures.insert(cluster) } }
        return old
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

    private func release(_ old: QCOW2BitmapRuns, _ refcounts: QCOW2Refcounts) throws(BlockError) {
        try release(old, but: try contestedClusters(old, besides: []), refcounts)
    }

    /// Where the directory lies that the file has.
    private var presentDirectory: QCOW2BitmapRuns {
        let directory = bitmapStore.directory
        let start = directory.offset >> UInt64(geometry.clusterBits)
        var runs = QCOW2BitmapRuns()
        if directory.length > 0 {
            let run = ClusterRun(start: start, count: geometry.clusters(directory.length))
            runs.add([run], isMade: bitmapStore.directoryIsMade)
        }
        return runs
    }
}
