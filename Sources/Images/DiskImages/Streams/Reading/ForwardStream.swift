import BlockIO
import CoreTypes

/// A stream that is read once from its beginning to its end, by a reader that knows from tables what lies where.
///
/// Regions are taken in the order of their places, whatever order the tables name them in. A window of recent bytes is
/// kept, so that small disorder does no harm; with a folder to spill to, bytes that no table has named yet go to an
/// unnamed file when they leave the window, and no disorder does. No byte is used for two things.
final class ForwardStream {
    private let source: any ByteSource
    private let options: StreamReadOptions
    private let progress: ProgressCounter
    private let cancellation: CancellationFlag
    /// What was read and is kept: `filled` bytes from offset `start` of the stream.
    private let buffer: AlignedBuffer
    private var start: UInt64 = 0
    private var filled = 0
    private var isAtEnd = false
    /// Everything before this was used, or is unclaimed.
    private(set) var position: UInt64 = 0
    /// Bytes kept behind the position.
    private let lookback: Int
    private var regions = StreamRegionQueue()
    private var unclaimed = UnclaimedRanges()
    /// What left the window unclaimed, without a place to spill to: at least `smallestUse` bytes each.
    private var forgotten = UnclaimedRanges()
    /// Nothing that a table will name is shorter than this: smaller gaps need not be kept.
    var smallestUse = 1
    private var spill: SpillFile?
    /// Bytes in it.
    private var spilled: UInt64 = 0
    /// Late bytes, put together from the spill and the window.
    private let late: AlignedBuffer
    /// The most bytes that `peek` gives at once.
    let largestPeek: Int

    /// - Parameter largestPeek: bytes, at least 64 KiB.
    init(
        _ source: any ByteSource, largestPeek: Int, options: StreamReadOptions, progress: ProgressCounter,
        cancellation: CancellationFlag
    ) {
        self.source = source
        self.options = options
        self.progress = progress
        self.cancellation = cancellation
        self.largestPeek = largestPeek
        lookback = largestPeek
        buffer = AlignedBuffer(count: lookback + max(2 * largestPeek, 4 << 20))
        late = AlignedBuffer(count: largestPeek)
        if let length = source.expectedLength { progress.expect(length) }
    }

    // MARK: Regions

    /// Says what lies somewhere: ahead, or behind in what was kept.
    func expect(_ region: StreamRegion) throws(BlockError) {
        regions.insert(region)
        guard regions.bytes + unclaimed.bytes + forgotten.bytes <= options.largestMetadata else {
            throw BlockError(
                .limitExceeded,
                "the tables of the image need more than the \(options.largestMetadata) bytes of memory allowed")
        }
    }

    func nextRegion() -> StreamRegion? { regions.removeFirst() }

    // MARK: Bytes

    // SAFETY (whole class): `start`, `filled` and the buffer's size bound every slice; pointers handed out are used
    // before the next call.

    /// The bytes at `offset`: at most `count` and `largestPeek`, fewer only at the end of the stream. They are not
    /// claimed by that. Valid until the next call. Bytes between the position and `offset` become unclaimed.
    func peek(_ count: Int, at offset: UInt64) throws(BlockError) -> UnsafeRawBufferPointer {
        let count = min(count, largestPeek)
        if offset < position { return try unsafe peekLate(count, at: offset) }
        try skip(to: offset, keeping: offset - position >= UInt64(smallestUse))
        while !isAtEnd, start + UInt64(filled) < offset + UInt64(count) { try fill() }
        let from = Int(offset - min(start, offset))
        return unsafe UnsafeRawBufferPointer(rebasing: buffer.bytes[min(from, filled)..<min(from + count, filled)])
    }

    /// Uses up a range that was peeked at. Throws when a part of it has been used before.
    func claim(_ range: Range<UInt64>) throws(BlockError) {
        if range.lowerBound >= position {
            unclaimed.append(position..<range.lowerBound)
            position = max(position, range.upperBound)
            return
        }
        // What ends at the position is always claimed, so a range across it has a part that was used before.
        guard range.upperBound <= position, try unclaimed.remove(range) else { throw misplaced(range) }
    }

    /// Exactly `count` bytes, claimed; `.invalidImage` when the stream ends before.
    func take(_ count: Int, at offset: UInt64, _ what: String) throws(BlockError) -> UnsafeRawBufferPointer {
        let bytes = try unsafe takeSome(count, at: offset)
        guard bytes.count == count else { throw truncated(what, at: offset) }
        return unsafe bytes
    }

    /// At most `count` bytes, claimed: fewer only at the end of the stream.
    func takeSome(_ count: Int, at offset: UInt64) throws(BlockError) -> UnsafeRawBufferPointer {
        let count = min(count, largestPeek)
        if offset < position {
            try claim(offset..<offset + UInt64(count))
            return try unsafe peekLate(count, at: offset)
        }
        let bytes = try unsafe peek(count, at: offset)
        if unsafe !bytes.isEmpty { try claim(offset..<offset + UInt64(bytes.count)) }
        return unsafe bytes
    }

    /// Bytes of the stream that have come so far: all when something was missing.
    var knownLength: UInt64 { start + UInt64(filled) }

    /// Says that a range is of no interest, whether or not anything else is there, or the stream is as long.
    func pass(_ range: Range<UInt64>) throws(BlockError) {
        var offset = range.lowerBound
        if offset < position {
            let behind = offset..<min(range.upperBound, position)
            for part in unclaimed.parts(of: behind) { _ = try unclaimed.remove(part) }
            offset = behind.upperBound
        }
        while offset < range.upperBound {
            let count = try unsafe peek(Int(min(range.upperBound - offset, UInt64(largestPeek))), at: offset).count
            if count == 0 { return }
            try claim(offset..<offset + UInt64(count))
            offset += UInt64(count)
        }
    }

    /// The same as an array, of any length that memory was allowed for.
    func array(_ count: Int, at offset: UInt64, _ what: String) throws(BlockError) -> [UInt8] {
        try unsafe Array(take(count, at: offset, what))
    }

    /// Reads to the end of the stream and returns its length. No table names anything any more.
    func drain() throws(BlockError) -> UInt64 {
        while !isAtEnd {
            try skip(to: start + UInt64(filled), keeping: false)
            try fill()
        }
        try skip(to: start + UInt64(filled), keeping: false)
        return position
    }

    /// The last bytes of a stream that was read to its end, whatever they were used for; at most 64 KiB.
    func lastBytes(_ count: Int) throws(BlockError) -> [UInt8] {
        let count = min(count, filled)
        return unsafe Array(buffer.bytes[filled - count..<filled])
    }

    func truncated(_ what: String, at offset: UInt64) -> BlockError {
        BlockError(
            .invalidImage, "the stream ends after \(start + UInt64(filled)) bytes, before the end of \(what)",
            offset: offset)
    }

    /// Why bytes behind the position cannot be used.
    private func misplaced(_ range: Range<UInt64>) -> BlockError {
        if !forgotten.parts(of: range).isEmpty {
            return BlockError(
                .unsupported,
                "the image has data before the tables that describe them, so it cannot be read as a stream: use a file",
                offset: range.lowerBound)
        }
        return BlockError(.corrupt, "the image uses a part of the stream for two things", offset: range.lowerBound)
    }

    private func peekLate(_ count: Int, at offset: UInt64) throws(BlockError) -> UnsafeRawBufferPointer {
        var fromSpill = 0
        if offset < start {
            guard let spill else { throw misplaced(offset..<offset + UInt64(count)) }
            fromSpill = Int(min(start - offset, UInt64(count)))
            try unsafe spill.read(
                into: UnsafeMutableRawBufferPointer(rebasing: late.bytes[..<fromSpill]), at: offset)
        }
        if fromSpill == count { return unsafe UnsafeRawBufferPointer(rebasing: late.bytes[..<count]) }
        // What the window has of the rest, also ahead of the position.
        let from = Int(offset + UInt64(fromSpill) - start)
        let available = fromSpill + max(0, min(count - fromSpill, filled - from))
        if available > fromSpill {
            unsafe UnsafeMutableRawBufferPointer(rebasing: late.bytes[fromSpill..<available])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[from..<from + available - fromSpill]))
        }
        return unsafe UnsafeRawBufferPointer(rebasing: late.bytes[..<available])
    }

    /// Moves the position ahead, past bytes that nobody has claimed: they can be claimed later when `keeping`.
    private func skip(to offset: UInt64, keeping: Bool) throws(BlockError) {
        while true {
            let end = min(offset, start + UInt64(filled))
            if end > position {
                if keeping { unclaimed.append(position..<end) }
                position = end
            }
            if isAtEnd || position >= offset { return }
            try fill()
        }
    }

    /// Reads more, after making room.
    private func fill() throws(BlockError) {
        if cancellation.isCancelled { throw BlockError(.cancelled, "the stream was cancelled") }
        if unsafe filled == buffer.bytes.count { try slide() }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...])
        let count = try unsafe source.read(into: room)
        isAtEnd = count == 0
        filled += count
        progress.add(UInt64(count))
        guard start + UInt64(filled) < 1 << 62 else { throw BlockError(.limitExceeded, "the stream is endless") }
    }

    /// Drops the oldest bytes but the last `lookback` before the position.
    private func slide() throws(BlockError) {
        let keep = max(start, position - min(position, UInt64(lookback)))
        let dropped = Int(keep - start)
        if dropped == 0 { preconditionFailure("a window is larger than its lookback and largest peek") }
        if options.spillFolder != nil || options.spillFile != nil {
            for part in unclaimed.parts(of: start..<keep) {
                spilled += UInt64(part.count)
                guard spilled <= options.largestSpill else {
                    throw BlockError(
                        .limitExceeded,
                        "more than \(options.largestSpill) bytes of the image lie before the tables that could describe"
                            + " them: use a file", offset: part.lowerBound)
                }
                let file: SpillFile
                if let spill { file = spill } else { file = try SpillFile(options) }
                spill = file
                let (from, to) = (Int(part.lowerBound - start), Int(part.upperBound - start))
                try unsafe file.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[from..<to]), at: part.lowerBound)
            }
        } else {
            for range in unclaimed.removeAll(below: keep) where range.count >= smallestUse { forgotten.append(range) }
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<(filled - dropped)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[dropped..<filled]))
        start = keep
        filled -= dropped
    }
}
