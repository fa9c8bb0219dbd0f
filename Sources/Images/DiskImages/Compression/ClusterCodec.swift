import BlockIO

/// Compresses and decompresses clusters: the state of the library that does it, and buffers. One thread at a time.
final class ClusterCodec: @unchecked Sendable {
    // @unchecked: handed from thread to thread by CodecPool, which orders their accesses.
    enum Kind: Sendable {
        case deflate
        case zstd
    }

    private let kind: Kind
    private let deflate = RawDeflate()
    private let zstd = ZstdFrames()
    let clusterBytes: Int
    /// One decompressed cluster.
    private(set) lazy var cluster = AlignedBuffer(count: clusterBytes)
    /// Input: an entry can name up to two clusters of it.
    private(set) lazy var input = AlignedBuffer(count: 2 * clusterBytes)
    /// Which blob `cluster` holds, by its L2 entry, 0 for none; and at which generation of the image.
    var heldEntry: UInt64 = 0
    var heldGeneration: UInt64 = 0
    private var output = AlignedBuffer(count: 0)

    init(kind: Kind, clusterBytes: Int) {
        self.kind = kind
        self.clusterBytes = clusterBytes
    }

    /// At least `count` bytes for compressed clusters.
    func output(_ count: Int) -> AlignedBuffer {
        if unsafe output.bytes.count < count { output = AlignedBuffer(count: count) }
        return output
    }

    /// Exactly `output.count` bytes; false for everything that is not a sound stream of them.
    func decompress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Bool {
        switch kind {
        case .deflate: unsafe deflate.decompress(input, into: output)
        case .zstd: unsafe zstd.decompress(input, into: output)
        }
    }

    /// The bytes used of `output`, 0 when they do not suffice.
    func compress(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        switch kind {
        case .deflate: unsafe deflate.compress(input, into: output)
        case .zstd: unsafe zstd.compress(input, into: output)
        }
    }
}

/// The codecs of an image: as many as threads use at once, the last one given back first, as it may still hold the
/// cluster that the same reader asks for again.
final class CodecPool: @unchecked Sendable {
    // @unchecked: guarded by `lock`.
    private let lock = Monitor()
    private let kind: ClusterCodec.Kind
    private let clusterBytes: Int
    private var idle: [ClusterCodec] = []

    init(kind: ClusterCodec.Kind, clusterBytes: Int) {
        self.kind = kind
        self.clusterBytes = clusterBytes
    }

    /// Runs `body` with a codec of its own.
    func use<T>(_ body: (ClusterCodec) throws(BlockError) -> T) throws(BlockError) -> T {
        let codec = lock.locked { idle.popLast() } ?? ClusterCodec(kind: kind, clusterBytes: clusterBytes)
        defer { lock.locked { idle.append(codec) } }
        return try body(codec)
    }
}
