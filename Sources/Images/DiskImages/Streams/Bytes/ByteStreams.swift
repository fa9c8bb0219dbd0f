public import BlockIO

/// Bytes that can be read once, in order: a pipe, a socket, a file, or what a decompressor makes of one. Used by one
/// thread at a time.
public protocol ByteSource: AnyObject {
    /// Bytes that will come in all, where that is known beforehand; a hint for progress and for formats without a size.
    var expectedLength: UInt64? { get }
    /// Puts at least one byte into the buffer (which is not empty) and returns how many; 0 only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int
}

extension ByteSource {
    public var expectedLength: UInt64? { nil }

    /// Fills the buffer unless the stream ends before; returns the bytes read.
    func readFully(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        var filled = 0
        while filled < buffer.count {
            // SAFETY: what of the caller's buffer is not filled yet.
            let count = try unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// Takes bytes in order. Used by one thread at a time.
public protocol ByteSink: AnyObject {
    /// Takes all of `data`. `.disconnected` when nobody reads any more.
    func write(_ data: UnsafeRawBufferPointer) throws(BlockError)
}
