internal import BlockIO
internal import Synchronization

/// Adjoining guest bytes that one lookup resolves.
struct QCOW2Run: Sendable {
    enum Kind: Sendable {
        /// Nothing is stored in this image: the parent, else zeroes.
        case hole
        /// Said to be zero, with or without a host cluster.
        case zero
        case data
        case compressed
    }

    var kind: Kind
    /// Host offset of the first byte, for `.data`; the L2 entry, for `.compressed`.
    var host: UInt64 = 0
    var length: UInt64
    /// `.data` that may be overwritten in place: counted once, in a table that was verified.
    var isWritable = false
}

// SAFETY (whole file): an L2 table has `l2Entries` entries and every index into it is below that; its bytes stay while
// the cache's lock is held or the table is pinned, and do not change while the mapping lock is held.
extension QCOW2Image {
    /// Resolves `offset`, inside the device, and up to `most` bytes after it as far as they adjoin in the file and
    /// below one L2 table. Needs the mapping lock, shared, or the metadata lock.
    @inline(__always)
    func lookup(_ offset: UInt64, most: UInt64) throws(BlockError) -> QCOW2Run {
        let index = geometry.l1Index(offset)
        if l1[index] == 0 {
            let rest = geometry.l2Span - (offset & (geometry.l2Span - 1))
            return QCOW2Run(kind: .hole, length: min(rest, most))
        }
        var run: QCOW2Run?
        tables.lock.lock()
        if let base = unsafe tables.find(index) { run = unsafe scanTable(base, offset, most) }
        tables.lock.unlock()
        if run == nil {
            let table = try unsafe pinTable(index)
            if let base = table.baseAddress { run = unsafe scanTable(base, offset, most) }
            tables.unpin(index)
        }
        guard var run else { preconditionFailure("a table has bytes") }
        if run.length == 0 { throw invalidEntry(offset) }
        if run.kind == .data {
            let (end, overflow) = run.host.addingReportingOverflow(run.length)
            if hasExternalData {
                if run.host != offset { throw invalidEntry(offset) }
            } else if overflow || end > fileEnd.load(ordering: .relaxed) {
                throw pastTheEnd(offset, run.host)
            }
            // A cluster of an external data file is never shared, whatever its entry says.
            run.isWritable = (run.isWritable || hasExternalData) && l1.isVerified(index)
        }
        return run
    }

    @inline(__always)
    private func scanTable(_ base: UnsafeMutableRawPointer, _ offset: UInt64, _ most: UInt64) -> QCOW2Run {
        if geometry.hasExtendedL2 { return unsafe scanExtended(base, offset, most) }
        return unsafe scan(base, offset, most)
    }

    /// The run at `offset` in the table at `base`; its length is 0 when the entry is not legal.
    @inline(__always)
    private func scan(_ base: UnsafeMutableRawPointer, _ offset: UInt64, _ most: UInt64) -> QCOW2Run {
        let words = unsafe base.assumingMemoryBound(to: UInt64.self)
        var index = geometry.l2Index(offset)
        let first = unsafe UInt64(bigEndian: words[index])
        let inCluster = offset & geometry.clusterMask
        var run = QCOW2Run(kind: .hole, length: geometry.clusterSize - inCluster)
        var step: UInt64 = 0
        switch QCOW2Mapping(first, geometry) {
        case .unallocated: break
        case .zeroPlain: run.kind = .zero
        case .zeroAllocated:
            run.kind = .zero
            step = geometry.clusterSize
        case .data(let host, let copied):
            run.kind = .data
            run.host = host + inCluster
            run.isWritable = copied
            step = geometry.clusterSize
        case .compressed:
            run.kind = .compressed
            run.host = first
            run.length = min(run.length, most)
            return run
        case .invalid:
            run.length = 0
            return run
        }
        // Neighbours of the same state lie a cluster further and have the same flags.
        var expected = first &+ step
        index += 1
        while run.length < most, index < geometry.l2Entries, unsafe UInt64(bigEndian: words[index]) == expected {
            run.length += geometry.clusterSize
            expected = expected &+ step
            index += 1
        }
        run.length = min(run.length, most)
        return run
    }

    /// The same for extended entries: units of one kind, on through whole clusters.
    @inline(never)
    private func scanExtended(_ base: UnsafeMutableRawPointer, _ offset: UInt64, _ most: UInt64) -> QCOW2Run {
        var index = geometry.l2Index(offset)
        let first = unsafe geometry.cell(UnsafeRawPointer(base), index)
        let inCluster = offset & geometry.clusterMask
        var run = QCOW2Run(kind: .hole, length: 0)
        if first.isInvalid { return run }
        if first.isCompressed {
            return QCOW2Run(
                kind: .compressed, host: first.compressed, length: min(geometry.clusterSize - inCluster, most))
        }
        let unit = geometry.subcluster(offset)
        if first.stored >> UInt32(unit) & 1 != 0 {
            run.kind = .data
            run.host = first.host + inCluster
            run.isWritable = first.copied
        } else if first.zero >> UInt32(unit) & 1 != 0 {
            run.kind = .zero
        }
        func same(_ cell: QCOW2Cell) -> UInt32 {
            switch run.kind {
            case .data: cell.stored
            case .zero: cell.zero
            default: ~(cell.stored | cell.zero)
            }
        }
        var reached = unit + (~(same(first) >> UInt32(unit))).trailingZeroBitCount
        run.length = UInt64(reached) << UInt64(geometry.unitBits) - inCluster
        var host = first.host
        while reached == 32, run.length < most, index + 1 < geometry.l2Entries {
            index += 1
            let cell = unsafe geometry.cell(UnsafeRawPointer(base), index)
            host += geometry.clusterSize
            if cell.isInvalid || cell.isCompressed { break }
            if run.kind == .data && (cell.host != host || cell.copied != first.copied) { break }
            reached = (~same(cell)).trailingZeroBitCount
            run.length += UInt64(reached) << UInt64(geometry.unitBits)
        }
        run.length = min(run.length, most)
        return run
    }

    /// The L2 table of L1 entry `index`, which is not empty, pinned in the cache.
    func pinTable(_ index: Int) throws(BlockError) -> UnsafeMutableRawBufferPointer {
        let entry = l1[index]
        return try unsafe tables.pin(index) { (buffer) throws(BlockError) in
            let offset = entry & QCOW2Entry.offsetMask
            guard entry & QCOW2Entry.l1Reserved == 0, offset & geometry.clusterMask == 0, offset != 0,
                offset + geometry.clusterSize <= fileEnd.load(ordering: .relaxed)
            else {
                throw BlockError(
                    .corrupt, "entry \(index) of the L1 table does not name a table inside the file",
                    path: storage.path, offset: offset)
            }
            try unsafe storage.read(into: buffer, at: offset)
        }
    }

    func pastTheEnd(_ offset: UInt64, _ host: UInt64) -> BlockError {
        BlockError(
            .corrupt, "the image maps byte \(offset) of the disk past the end of the file", path: storage.path,
            offset: host)
    }

    func invalidEntry(_ offset: UInt64) -> BlockError {
        BlockError(
            .corrupt,
            "the L2 entry for byte \(offset) of the disk is not legal: reserved bits, or an offset that it cannot have",
            path: storage.path, offset: offset)
    }
}
