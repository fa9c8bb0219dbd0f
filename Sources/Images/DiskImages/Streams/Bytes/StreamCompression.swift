public import BlockIO

/// How a whole stream is compressed. Declared by the caller, never guessed.
public enum StreamCompression: String, CaseIterable, Sendable {
    case gzip, xz, zstd
}

/// What decompressing a stranger's stream may cost.
public struct DecompressionLimits: Hashable, Sendable {
    /// Bytes that may come out; a stream that holds more throws `.limitExceeded`.
    public var outputBytes: UInt64
    /// Bytes of the window that a zstd frame may ask for. `zstd --long` and `--ultra` make larger ones.
    public var zstdWindow: UInt64 = 8 << 20
    /// Bytes that the xz decoder may take: the dictionary and a little. `xz -9` needs 65 MiB.
    public var xzMemory: UInt64 = 80 << 20

    public init(outputBytes: UInt64) { self.outputBytes = outputBytes }
}

extension StreamCompression {
    /// The content of `source`, a complete file of this compression: several members, streams or frames one after
    /// another are one content; anything else behind them, or an end within one, is `.invalidImage`.
    public func decompressed(_ source: any ByteSource, limits: DecompressionLimits) throws(BlockError) -> LimitedSource
    {
        let content: any ByteSource =
            switch self {
            case .gzip: try GzipSource(source)
            case .xz: try XZSource(source, memory: limits.xzMemory)
            case .zstd: try ZstdSource(source, window: limits.zstdWindow)
            }
        return LimitedSource(content, limit: limits.outputBytes)
    }

    func damaged(_ what: String) -> BlockError {
        BlockError(.invalidImage, "the \(rawValue) stream \(what)")
    }

    var outOfMemory: BlockError { BlockError(.limitExceeded, "no memory to decompress \(rawValue)") }
}

/// The compressed bytes at hand, for the decompressors.
struct CompressedInput {
    let buffer = AlignedBuffer(count: 256 << 10)
    private let source: any ByteSource
    private(set) var isAtEnd = false

    init(_ source: any ByteSource) { self.source = source }

    /// Reads the next piece into the buffer, and returns its bytes: 0 at the end.
    mutating func refill() throws(BlockError) -> Int {
        if isAtEnd { return 0 }
        let count = try unsafe source.read(into: buffer.bytes)
        isAtEnd = count == 0
        return count
    }
}
