internal import BlockIO
internal import Synchronization

/// Adjoining guest bytes that one lookup resolves.
struct QCOW2Run: Sendable {
    enum Kind: Sendable {
        /// No L2 table or an empty entry.
        case hole
        /// The zero flag, with or without a host cluster.
        case zero
        case data
        case compressed
    }

    var kind: Kind
    /// Host offset of the first byte, for `.data`.
    var host: UInt64 = 0
    var length: UInt64
    /// `.data` that may be overwritten in place: counted once, in a table that was verified.
    var isWritable = false
}

// SAFETY (whole file): an L2 table has `l2Entries` words and every index into it is below that; its bytes stay while
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
        if let base = unsafe tables.find(index) { run = unsafe scan(base, offset, most) }
        tables.lock.unlock()
        if run == nil {
            let table = unsafe try pinTable(index)
            if let base = table.baseAddress { run = unsafe scan(base, offset, most) }
            tables.unpin(index)
        }
        guard var run else { preconditionFailure("a table has bytes") }
        if run.length == 0 { throw invalidEntry(offset) }
        if run.kind == .data {
            let (end, overflow) = run.host.addingReportingOverflow(run.length)
            if overflow || end > fileEnd.load(ordering: .relaxed) {
                throw BlockError(
                    .corrupt, "the image maps byte \(offset) of the disk past the end of the file",
                    path: storage.path, offset: run.host)
            }
            run.isWritable = run.isWritable && l1.isVerified(index)
        }
        return run
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

    /// The L2 table of L1 entry `index`, which is not empty, pinned in the cache.
    func pinTable(_ index: Int) throws(BlockError) -> UnsafeMutableRawBufferPointer {
        let entry = l1[index]
        return unsafe try tables.pin(index) { (buffer) throws(BlockError) in
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

    func invalidEntry(_ offset: UInt64) -> BlockError {
        BlockError(
            .corrupt, "the L2 entry for byte \(offset) of the disk is not legal: reserved bits or an unaligned offset",
            path: storage.path, offset: offset)
    }

    func compressedCluster(_ offset: UInt64) -> BlockError {
        BlockError(
            .unsupported,
            "byte \(offset) of the disk is in a compressed cluster, which this version does not handle; "
                + "convert the image without compression first", path: storage.path, offset: offset)
    }
}
