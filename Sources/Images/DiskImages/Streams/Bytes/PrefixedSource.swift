import BlockIO

/// Some bytes that were read already, and then the rest of their stream.
final class PrefixedSource: ByteSource {
    private let prefix: [UInt8]
    private var used = 0
    private let rest: any ByteSource
    let expectedLength: UInt64?

    /// Reads up to `count` bytes of a stream to look at them.
    init(reading count: Int, of source: any ByteSource) throws(BlockError) {
        // What is left of a file is asked before its position moves.
        expectedLength = source.expectedLength
        rest = source
        let buffer = AlignedBuffer(count: count)
        // SAFETY: the buffer's own bytes, as many as were read.
        let got = try unsafe source.readFully(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count]))
        unsafe prefix = Array(buffer.bytes[..<got])
    }

    /// The bytes that were looked at; fewer than asked for only when the stream is that short.
    var head: [UInt8] { prefix }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        guard used < prefix.count else { return try unsafe rest.read(into: buffer) }
        let count = min(buffer.count, prefix.count - used)
        // SAFETY: as many bytes as both have.
        unsafe buffer.copyBytes(from: prefix[used..<used + count])
        used += count
        return count
    }
}
