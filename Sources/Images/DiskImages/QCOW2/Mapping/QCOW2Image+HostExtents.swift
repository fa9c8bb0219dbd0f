public import BlockIO
internal import Synchronization

// SAFETY (whole file): an L2 table has `l2Entries` words and every index into it is below that.
extension QCOW2Image: HostMappedDevice {
    /// Extents found by one call at most, but for the rest of a run.
    private static let extentsPerCall = 16384

    public var knowsHoles: Bool { false }
    public var hostFiles: [ImageFile] { files(data, parent) }

    public func appendHostExtents(
        to extents: inout [HostExtent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        try checkUsable()
        try checkRange(offset, length)
        mapping.lockShared()
        defer { mapping.unlock() }
        // Tables of an image that nobody writes are read past the cache, which they would only empty.
        let own = isReadOnly ? AlignedBuffer(count: geometry.clusterBytes) : nil
        let most = extents.count + Self.extentsPerCall
        var position = offset
        let end = offset + length
        while position < end, extents.count < most {
            let index = geometry.l1Index(position)
            let part = min(geometry.l2Span - (position & (geometry.l2Span - 1)), end - position)
            if l1[index] == 0 {
                position = try extents.appendParent(parent, position..<position + part, firstFile: 1, most: most)
            } else if geometry.hasExtendedL2 {
                let run = try lookup(position, most: part)
                position = try append(run, to: &extents, at: position, most: most)
            } else if let own {
                try unsafe readTable(index, into: own.bytes)
                position = unsafe try appendExtents(
                    to: &extents, of: own.bytes, at: position, length: part, most: most)
            } else {
                let table = unsafe try pinTable(index)
                defer { tables.unpin(index) }
                position = unsafe try appendExtents(
                    to: &extents, of: table, at: position, length: part, most: most)
            }
        }
    }

    /// Appends what a lookup found; returns where that ends, or where the parent's part of it has `most` extents.
    private func append(
        _ run: QCOW2Run, to extents: inout [HostExtent], at position: UInt64, most: Int
    ) throws(BlockError) -> UInt64 {
        var found = HostExtent(offset: position, length: run.length, kind: .data)
        switch run.kind {
        case .hole:
            return try extents.appendParent(parent, position..<position + run.length, firstFile: 1, most: most)
        case .zero: found.kind = .zero
        case .compressed: break
        case .data:
            found.file = 0
            found.host = run.host
        }
        extents.appendJoining(found)
        return position + run.length
    }

    /// The extents of a range below one table, until there are `most`. Returns where it stopped.
    private func appendExtents(
        to extents: inout [HostExtent], of table: UnsafeMutableRawBufferPointer, at offset: UInt64, length: UInt64,
        most: Int
    ) throws(BlockError) -> UInt64 {
        guard let base = table.baseAddress else { return offset + length }
        let words = unsafe base.assumingMemoryBound(to: UInt64.self)
        let entries = geometry.l2Entries
        let clusterSize = geometry.clusterSize
        let limit = fileEnd.load(ordering: .relaxed)
        let end = offset + length
        var position = offset
        var index = geometry.l2Index(offset)
        while position < end, extents.count < most {
            let stored = unsafe words[index]
            let inCluster = position & geometry.clusterMask
            var found = HostExtent(offset: position, length: clusterSize - inCluster, kind: .hole)
            let first = UInt64(bigEndian: stored)
            var step: UInt64 = 0
            switch QCOW2Mapping(first, geometry) {
            case .unallocated: break
            case .zeroPlain: found.kind = .zero
            case .zeroAllocated(let host, _):
                found.kind = .zero
                found.file = 0
                found.host = host + inCluster
                step = clusterSize
            case .data(let host, _):
                found.kind = .data
                found.file = 0
                found.host = host + inCluster
                step = clusterSize
            case .compressed: found.kind = .data
            case .invalid: throw invalidEntry(position)
            }
            index += 1
            if case .compressed = QCOW2Mapping(first, geometry) {
                while index < entries, unsafe UInt64(bigEndian: words[index]) & QCOW2Entry.compressed != 0 {
                    found.length += clusterSize
                    index += 1
                }
            } else {
                // Neighbours of the same state lie a cluster further and have the same flags.
                var expected = first
                if step == 0 {
                    // Tables of large images are mostly one entry, repeated.
                    let many = SIMD8<UInt64>(repeating: stored)
                    while index + 8 <= entries,
                        unsafe UnsafeRawPointer(words + index).loadUnaligned(as: SIMD8<UInt64>.self) == many
                    {
                        found.length += clusterSize << 3
                        index += 8
                    }
                }
                while index < entries {
                    expected = expected &+ step
                    if unsafe UInt64(bigEndian: words[index]) != expected { break }
                    found.length += clusterSize
                    index += 1
                }
            }
            found.length = min(found.length, end - position)
            if found.kind == .hole, parent != nil {
                // Where it stops before the end, there are as many as there may be, and so does this.
                position = try extents.appendParent(parent, position..<found.end, firstFile: 1, most: most)
                if position < found.end { return position }
                continue
            }
            if found.kind == .data, found.file == 0 {
                let (hostEnd, overflow) = found.host.addingReportingOverflow(found.length)
                if hasExternalData {
                    if found.host != position { throw invalidEntry(position) }
                } else if overflow || hostEnd > limit {
                    throw pastTheEnd(position, found.host)
                }
            }
            extents.appendJoining(found)
            position += found.length
        }
        return position
    }

    /// The L2 table of L1 entry `index`, which is not empty, straight from the file.
    func readTable(_ index: Int, into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) {
        let entry = l1[index]
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
