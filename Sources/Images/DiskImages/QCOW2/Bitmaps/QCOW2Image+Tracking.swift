internal import BlockIO
internal import Synchronization

/// Maintaining the bitmaps while the disk changes. An enabled bitmap is marked as in use, durably, before the first
/// change, and from then on is whole in memory only; closing stores it and takes the mark away. After a crash the mark
/// says that the bitmap misses writes.
extension QCOW2Image {
    /// The bitmaps' autoclear bit.
    static var bitmapsAutoclear: UInt64 { 1 }

    /// Notes a completed (or failed) change of the disk in the enabled bitmaps. After the data: who clears a bitmap and
    /// then reads must not miss what a write under way leaves behind.
    @inline(__always)
    func noteChange(_ offset: UInt64, _ length: UInt64) {
        if bitmapStore.isTracking.load(ordering: .relaxed), length > 0 {
            mapping.shared { bitmapStore.note(offset, length) }
        }
    }

    /// Reads the directory when an image is opened for writing. Damage is kept for later: the data are not concerned.
    func prepareBitmaps(_ survey: inout QCOW2StructureSurvey) {
        loadBitmaps()
        guard let pending else { return }
        // Those that are not valid any more may lie where something else does now.
        if bitmapStore.damage == nil, bitmapStore.isValid, !bitmapStore.directory.entries.isEmpty {
            let tables = bitmapStore.directory.entries.map { ($0.tableOffset, UInt64($0.tableEntries) * 8) }
            if !survey.occupyIfFree([(bitmapStore.directory.offset, bitmapStore.directory.length)] + tables) {
                bitmapStore.damage = BlockError(
                    .corrupt, "the bitmaps overlap other structures of the image; the disk's data is not concerned")
            }
        }
        let isKept = bitmapStore.isValid && bitmapStore.damage == nil
        bitmapStore.mustMark = isKept && bitmapStore.directory.entries.contains { $0.isAuto && !$0.isInUse }
        var maintained = header.maintainedAutoclear
        if isKept { maintained |= Self.bitmapsAutoclear }
        pending.mustClearAutoclear = header.autoclear & ~maintained != 0
    }

    func loadBitmaps() {
        if bitmapStore.isLoaded { return }
        bitmapStore.isLoaded = true
        // The bit alone, of an image without bitmaps, says nothing and goes with the first change.
        bitmapStore.isValid =
            header.version >= 3 && header.autoclear & Self.bitmapsAutoclear != 0
            && header.extensions.bitmapDirectory != nil
        do throws(BlockError) {
            bitmapStore.directory = try QCOW2BitmapDirectory(header, geometry, storage)
        } catch { bitmapStore.damage = error }
    }

    /// Autoclear bits that may stay when the disk is about to change.
    func maintainedAutoclear(_ header: QCOW2Header) -> UInt64 {
        let isKept = bitmapStore.isValid && bitmapStore.damage == nil
        if !isKept { bitmapStore.isValid = false }
        return header.maintainedAutoclear | (isKept ? Self.bitmapsAutoclear : 0)
    }

    /// Marks those bitmaps in use that a change concerns (of the disk: the enabled ones), durable when this returns, and
    /// takes those into memory that it can. With the metadata lock held, before the change.
    func markBitmaps(_ concerns: (QCOW2BitmapEntry) -> Bool = \.isAuto) throws(BlockError) {
        var directory = bitmapStore.directory
        var loaded: [QCOW2BitmapStore.Tracked] = []
        var memory = bitmapStore.memory
        for index in directory.entries.indices {
            let entry = directory.entries[index]
            if entry.isInUse || !concerns(entry) { continue }
            directory.entries[index].flags |= QCOW2BitmapEntry.inUse
            // What cannot be taken into memory stays marked: whoever asks learns that it is of no use any more.
            let needed = QCOW2DirtyBits.memory(size: size, granularityBits: entry.granularityBits)
            if entry.isUnderstood, memory + needed <= QCOW2BitmapStore.mostMemory, let bits = try? bits(of: entry) {
                memory += needed
                loaded.append(.init(name: entry.name, bits: bits, isEnabled: entry.isAuto))
            }
        }
        try storage.store(try directory.encoded(), at: directory.offset)
        try storage.sync()
        bitmapStore.directory = directory
        mapping.exclusive { bitmapStore.track(loaded) }
        bitmapStore.mustMark = directory.entries.contains { $0.isAuto && !$0.isInUse }
    }

    /// The bits as the file has them.
    func bits(of entry: QCOW2BitmapEntry) throws(BlockError) -> QCOW2DirtyBits {
        let clusters = entry.clusters(forSize: size, geometry)
        guard clusters <= UInt64(entry.tableEntries),
            QCOW2DirtyBits.memory(size: size, granularityBits: entry.granularityBits) <= QCOW2BitmapStore.mostMemory
        else {
            throw BlockError(
                .corrupt, "the bitmap's table does not fit the disk, or is too long", offset: entry.tableOffset)
        }
        let bits = QCOW2DirtyBits(size: size, granularityBits: entry.granularityBits)
        let end = fileEnd.load(ordering: .relaxed)
        var seen: Set<UInt64> = []
        for (number, word) in try storage.words(at: entry.tableOffset, count: Int(clusters)).enumerated() {
            let host = word & QCOW2Entry.offsetMask
            if host == 0 {
                if word & 1 != 0 {
                    bits.load([UInt8](repeating: 0xFF, count: geometry.clusterBytes), cluster: number)
                }
                continue
            }
            guard host & geometry.clusterMask == 0, host == word, host < end else {
                throw BlockError(.corrupt, "an entry of a bitmap's table is not legal", offset: entry.tableOffset)
            }
            let isOwned = try isOwnedOnce(host >> UInt64(geometry.clusterBits))
            guard seen.insert(host).inserted, isOwned else {
                throw BlockError(
                    .corrupt, "an entry of a bitmap's table names what is no part of a bitmap alone",
                    offset: entry.tableOffset)
            }
            bits.load(try storage.array(at: host, count: geometry.clusterBytes), cluster: number)
        }
        return bits
    }

    /// A cluster is no structure and has one reference, for all that is known without a walk over everything. A
    /// read-only image has no refcounts at hand.
    private func isOwnedOnce(_ cluster: UInt64) throws(BlockError) -> Bool {
        guard let refcounts = pending?.refcounts else { return true }
        let count = try refcounts.count(cluster)
        return count == 1 && !refcounts.structures.contains(cluster)
    }

    /// Takes every bitmap that is of use into memory, marked in the file, durably, as in use: before the disk gets another
    /// size, for which their tables do not fit. With the metadata lock held.
    func keepAllBitmapsInMemory() throws(BlockError) {
        loadBitmaps()
        if bitmapStore.isValid, bitmapStore.damage == nil, !bitmapStore.directory.entries.isEmpty {
            try markBitmaps { _ in true }
        }
    }

    /// Gives the bitmaps in memory the length for another size. What a larger disk has more is not marked as written.
    /// With the mapping lock held exclusively.
    func resizeBits(to newSize: UInt64) {
        bitmapStore.replaceAllBits { old in
            let new = QCOW2DirtyBits(size: newSize, granularityBits: UInt8(old.granularityBits))
            for word in 0..<min(old.wordCount, new.wordCount) { new[word] = old[word] }
            new.trim()
            return new
        }
    }

    /// Whether the bitmaps that are of use can follow the disk to another size; those that missed writes stay as they
    /// are. With the metadata lock held.
    func checkBitmapsResizable(to newSize: UInt64) throws(BlockError) {
        loadBitmaps()
        guard bitmapStore.isValid, bitmapStore.damage == nil else { return }
        var memory: UInt64 = 0
        for entry in bitmapStore.directory.entries where !entry.isInUse || bitmapStore.bits(entry.name) != nil {
            let name = String(decoding: entry.name, as: UTF8.self)
            guard entry.isUnderstood else {
                throw BlockError(
                    .unsupported,
                    "the bitmap “\(name)”, of an unknown kind, is made for the disk's size; delete it first",
                    path: storage.path)
            }
            guard newSize > 0 else {
                // qemu would not open the image any more.
                throw BlockError(
                    .unsupported, "a disk of no bytes keeps no bitmaps; delete “\(name)” first", path: storage.path)
            }
            memory += QCOW2DirtyBits.memory(size: max(size, newSize), granularityBits: entry.granularityBits)
            guard memory <= QCOW2BitmapStore.mostMemory else {
                throw BlockError(
                    .limitExceeded,
                    "the bitmaps would take more than \(QCOW2BitmapStore.mostMemory) bytes of memory at this size; "
                        + "delete “\(name)” first", path: storage.path)
            }
            // One that cannot be read would be lost without a word.
            guard bitmapStore.bits(entry.name) == nil else { continue }
            do throws(BlockError) {
                _ = try bits(of: entry)
            } catch {
                // The disk is sound: a bitmap is not what makes an image corrupt.
                guard error.code == .corrupt else { throw error }
                throw BlockError(
                    .unsupported, "the bitmap “\(name)” cannot be read (\(error.message)); delete it first",
                    path: storage.path)
            }
        }
    }

    /// The whole disk has other content now.
    func markAllDirty() {
        mapping.exclusive { for bitmap in bitmapStore.tracked where bitmap.isEnabled { bitmap.bits.fill(true) } }
    }
}
