public import BlockIO
internal import Synchronization

/// Storing clusters compressed. A batch is compressed without any lock, gets its space in one go, is written in as few
/// writes as possible, and only then appears in the tables, together: a flush in between finds counted space that
/// nothing refers to, which is a leak at worst.
///
// SAFETY (whole file): parts of buffers lie inside them: a compressed cluster is shorter than a cluster.
extension QCOW2Image: CompressingDestination {
    public var compressionUnit: UInt64 { geometry.clusterSize }

    /// A cluster of a batch, compressed.
    private struct Piece {
        /// Guest offset.
        var offset: UInt64
        /// Where it is in the codec's output, and where it goes in the file.
        var start: Int
        var count: Int
        var host: UInt64 = 0
    }

    private static let batchBytes = 1 << 20

    public func writeCompressed(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkWritable()
        try checkRange(offset, UInt64(data.count))
        guard !hasExternalData else {
            throw BlockError(.unsupported, "an external data file holds no compressed clusters", path: storage.path)
        }
        let end = offset + UInt64(data.count)
        guard offset & geometry.clusterMask == 0, end & geometry.clusterMask == 0 || end == size else {
            throw BlockError(.outOfRange, "only whole clusters can be compressed", path: storage.path, offset: offset)
        }
        defer { noteChange(offset, UInt64(data.count)) }
        let most = max(Self.batchBytes, geometry.clusterBytes)
        var done = 0
        do throws(BlockError) {
            while done < data.count {
                let count = min(most, data.count - done)
                let part = unsafe UnsafeRawBufferPointer(rebasing: data[done..<done + count])
                try codecs.use { (codec) throws(BlockError) in
                    try unsafe writeBatch(part, at: offset + UInt64(done), codec)
                }
                done += count
            }
        } catch { throw marked(error) }
    }

    private func writeBatch(
        _ content: UnsafeRawBufferPointer, at offset: UInt64, _ codec: ClusterCodec
    ) throws(BlockError) {
        let output = unsafe codec.output(content.count + geometry.clusterBytes).bytes
        var pieces: [Piece] = []
        var used = 0
        var done = 0
        while done < content.count {
            let count = min(geometry.clusterBytes, content.count - done)
            var cluster = unsafe UnsafeRawBufferPointer(rebasing: content[done..<done + count])
            let position = offset + UInt64(done)
            done += count
            if unsafe isZero(cluster) {
                try writeZeroes(at: position, length: UInt64(count), mayUnmap: true)
                continue
            }
            if count < geometry.clusterBytes {
                // The last cluster of the disk is compressed as a full one.
                codec.heldEntry = 0
                let padded = unsafe codec.cluster.bytes
                _ = unsafe padded.initializeMemory(as: UInt8.self, repeating: 0)
                unsafe padded.copyMemory(from: cluster)
                unsafe cluster = UnsafeRawBufferPointer(padded)
            }
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: output[used..<used + geometry.clusterBytes - 1])
            let length = unsafe codec.compress(cluster, into: room)
            if length == 0 {
                try unsafe write(UnsafeRawBufferPointer(rebasing: content[done - count..<done]), at: position)
            } else {
                pieces.append(Piece(offset: position, start: used, count: length))
                used += length
            }
        }
        if pieces.isEmpty { return }
        try reserve(&pieces)
        var left = pieces
        do throws(BlockError) {
            try unsafe writeOut(pieces, UnsafeRawBufferPointer(output))
            try publish(pieces, left: &left)
        } catch {
            metadata.locked {
                pending?.placements -= 1
                for piece in left { releaseSpace(piece) }
            }
            throw error
        }
        metadata.locked { pending?.placements -= 1 }
        while let piece = left.popLast() {
            metadata.locked { releaseSpace(piece) }
            let start = Int(piece.offset - offset)
            let count = min(geometry.clusterBytes, content.count - start)
            try unsafe write(UnsafeRawBufferPointer(rebasing: content[start..<start + count]), at: piece.offset)
        }
    }

    private func reserve(_ pieces: inout [Piece]) throws(BlockError) {
        metadata.lock()
        defer { metadata.unlock() }
        let pending = try beginChange()
        for index in pieces.indices {
            do throws(BlockError) {
                pieces[index].host = try pending.refcounts.allocateBytes(UInt64(pieces[index].count))
            } catch {
                for piece in pieces[..<index] { releaseSpace(piece) }
                throw error
            }
        }
        pending.placements += 1
    }

    /// Gives back the space of a piece that nothing refers to, with the metadata lock held.
    private func releaseSpace(_ piece: Piece) {
        let bits = UInt64(geometry.clusterBits)
        let first = piece.host >> bits
        let last = (piece.host + UInt64(piece.count) - 1) >> bits
        // What cannot be given back is leaked, which a repair finds.
        try? pending?.refcounts.release(ClusterRun(start: first, count: last - first + 1))
    }

    private func writeOut(_ pieces: [Piece], _ output: UnsafeRawBufferPointer) throws(BlockError) {
        var first = 0
        while first < pieces.count {
            var last = first
            while last + 1 < pieces.count, pieces[last + 1].host == pieces[last].host + UInt64(pieces[last].count) {
                last += 1
            }
            let range = pieces[first].start..<pieces[last].start + pieces[last].count
            try unsafe storage.write(UnsafeRawBufferPointer(rebasing: output[range]), at: pieces[first].host)
            first = last + 1
        }
    }

    /// Enters what was written into the tables.
    /// - Parameter left: the pieces that no table names: in the end, those whose place is taken.
    private func publish(_ pieces: [Piece], left: inout [Piece]) throws(BlockError) {
        metadata.lock()
        defer { metadata.unlock() }
        var taken: [Piece] = []
        var first = 0
        while first < pieces.count {
            let pending = try beginChange()
            let index = geometry.l1Index(pieces[first].offset)
            var last = first
            while last + 1 < pieces.count, geometry.l1Index(pieces[last + 1].offset) == index { last += 1 }
            if l1[index] == 0 { try addTable(index, pending) }
            let table = try unsafe pinTable(index)
            defer { tables.unpin(index) }
            try unsafe verify(index, table, pending)
            pending.needsDataBarrier = true
            mapping.lockExclusive()
            for piece in pieces[first...last] {
                let number = geometry.l2Index(piece.offset)
                var cell = unsafe geometry.cell(table, number)
                guard !cell.isInvalid, !cell.hasHost, !cell.isCompressed,
                    let entry = QCOW2CompressedBlob.entry(offset: piece.host, count: piece.count, geometry)
                else {
                    taken.append(piece)
                    continue
                }
                cell = QCOW2Cell()
                cell.compressed = entry
                unsafe geometry.store(cell, table, number)
                let end = piece.host + UInt64(piece.count)
                extendFile(to: (end + geometry.clusterMask) & ~geometry.clusterMask)
            }
            compressedGeneration.add(1, ordering: .releasing)
            mapping.unlock()
            let numbers = geometry.l2Index(pieces[first].offset)..<geometry.l2Index(pieces[last].offset) + 1
            tables.markDirty(index, geometry.bytes(ofEntries: numbers))
            first = last + 1
            left = taken + pieces[first...]
        }
    }
}
