internal import BlockIO
internal import Synchronization

// SAFETY (whole file): parts of buffers lie inside them; a blob is at most two clusters long, as is the codec's input.
/// Reading compressed clusters, and writing over them.
extension QCOW2Image {
    /// Fills `part`, which lies in one cluster, from the compressed cluster of `entry`. With the mapping lock held.
    func readCompressed(
        _ entry: UInt64, into part: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        let inCluster = Int(offset & geometry.clusterMask)
        try codecs.use { (codec) throws(BlockError) in
            if part.count == geometry.clusterBytes {
                return try unsafe decompress(entry, codec, into: part, at: offset)
            }
            let generation = compressedGeneration.load(ordering: .acquiring)
            if codec.heldEntry != entry || codec.heldGeneration != generation {
                codec.heldEntry = 0
                try unsafe decompress(entry, codec, into: codec.cluster.bytes, at: offset)
                codec.heldEntry = entry
                codec.heldGeneration = generation
            }
            let content = unsafe UnsafeRawBufferPointer(codec.cluster.bytes)
            unsafe part.copyMemory(from: UnsafeRawBufferPointer(rebasing: content[inCluster..<inCluster + part.count]))
        }
    }

    private func decompress(
        _ entry: UInt64, _ codec: ClusterCodec, into output: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        let blob = QCOW2CompressedBlob(entry: entry, geometry)
        let input = unsafe UnsafeMutableRawBufferPointer(rebasing: codec.input.bytes[..<Int(blob.length)])
        let isInside = blob.end < QCOW2Limits.hostEnd && blob.offset < fileEnd.load(ordering: .relaxed)
        // The length is an estimate: the file may end before it, which reads as zeroes.
        if isInside { try unsafe storage.read(into: input, at: blob.offset) }
        guard isInside, unsafe codec.decompress(UnsafeRawBufferPointer(input), into: output) else {
            throw BlockError(
                .io, "the compressed cluster of byte \(offset) of the disk cannot be decompressed to its size",
                path: storage.path, offset: blob.offset)
        }
    }

    /// Writes what a compressed cluster becomes with `content` at `offset` to the cluster at `host`.
    func mergeCompressed(
        _ entry: UInt64, _ content: UnsafeRawBufferPointer, _ offset: UInt64, into host: UInt64
    ) throws(BlockError) {
        if content.count == geometry.clusterBytes { return try unsafe data.write(content, at: host) }
        let inCluster = Int(offset & geometry.clusterMask)
        try codecs.use { (codec) throws(BlockError) in
            codec.heldEntry = 0
            let cluster = unsafe codec.cluster.bytes
            try unsafe decompress(entry, codec, into: cluster, at: offset)
            unsafe UnsafeMutableRawBufferPointer(rebasing: cluster[inCluster..<inCluster + content.count])
                .copyMemory(from: content)
            try unsafe data.write(UnsafeRawBufferPointer(cluster), at: host)
        }
    }
}
