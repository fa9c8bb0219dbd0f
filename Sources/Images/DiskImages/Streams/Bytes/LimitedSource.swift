public import BlockIO

/// Lets at most a number of bytes through, and counts them: the guard behind a decompressor and before everything that
/// an endless stream could keep busy.
public final class LimitedSource: ByteSource {
    private let source: any ByteSource
    public let limit: UInt64
    /// Bytes read so far.
    public private(set) var count: UInt64 = 0

    public var expectedLength: UInt64? { source.expectedLength }

    /// - Parameter limit: bytes; reading more throws `.limitExceeded`. A stream of exactly as many passes.
    public init(_ source: any ByteSource, limit: UInt64) {
        self.source = source
        self.limit = limit
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(BlockError) -> Int {
        // One byte more than allowed is asked for: only so the end can be told from too much.
        let room = limit - count
        let wanted = room < UInt64(buffer.count) ? min(Int(room) + 1, buffer.count) : buffer.count
        // SAFETY: the beginning of the caller's buffer.
        let got = try unsafe source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        guard UInt64(got) <= room else {
            throw BlockError(.limitExceeded, "the stream is longer than the \(limit) bytes that are allowed")
        }
        count += UInt64(got)
        return got
    }
}
