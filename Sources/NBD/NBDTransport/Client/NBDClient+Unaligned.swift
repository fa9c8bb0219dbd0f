import BlockIO
import CoreTypes
import Synchronization

// Servers may want requests in multiples of a block ("Block size constraints"); our callers may use any alignment.
// SAFETY: copies stay inside the callers' buffers and inside a buffer that spans whole blocks around them.

extension NBDClient {
    /// Bytes moved through a buffer at once; a multiple of every `unit` (at most 64 KiB).
    private static let pieceLength: UInt64 = 1 << 20

    func readAround(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        let around = AlignedBuffer(count: Int(Self.pieceLength))
        try unsafe inPieces(offset, UInt64(buffer.count), around) { (blocks, first, done, count) throws(BlockError) in
            unsafe try readAligned(blocks, at: first)
            let skip = Int(offset + UInt64(done) - first)
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: blocks[skip..<skip + count]))
        }
    }

    /// Reads the blocks around, puts the data in and writes them, while no other write of this client is under way.
    func rewrite(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        rewriting.lockExclusive()
        defer {
            rewriting.unlock()
            endPutOff()
        }
        let around = AlignedBuffer(count: Int(Self.pieceLength))
        try unsafe inPieces(offset, UInt64(data.count), around) { (blocks, first, done, count) throws(BlockError) in
            unsafe try readAligned(blocks, at: first)
            let skip = Int(offset + UInt64(done) - first)
            unsafe UnsafeMutableRawBufferPointer(rebasing: blocks[skip..<skip + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: data[done..<done + count]))
            unsafe try writeAligned(UnsafeRawBufferPointer(blocks), at: first)
        }
    }

    /// Takes `rewriting` shared. With `patience`, throws `.late` where that takes too long: nothing of the change was sent then, but
    /// it counts as late until what it would have waited for has ended, so that nobody else waits for that meanwhile.
    func shareRewriting(_ offset: UInt64, _ length: UInt64, within patience: Patience?) throws(BlockError) {
        guard let patience else { return rewriting.lockShared() }
        if rewriting.lockShared(nanoseconds: patience.rest) { return }
        let ticket = patience.late.add(offset..<offset + length)
        putOff.withLock { $0.append((patience.late, ticket)) }
        // It may have ended before that; whoever holds it now does so later.
        if rewriting.lockShared(nanoseconds: 0) {
            rewriting.unlock()
            endPutOff()
        }
        throw Patience.isOver(at: offset)
    }

    private func endPutOff() {
        let ended = putOff.withLock { changes in
            defer { changes = [] }
            return changes
        }
        for change in ended { change.changes.end(change.ticket) }
    }

    /// Calls `body` with (whole blocks, where they begin on the device, bytes of the range done, bytes of it inside).
    private func inPieces(
        _ offset: UInt64, _ length: UInt64, _ around: AlignedBuffer,
        _ body: (UnsafeMutableRawBufferPointer, UInt64, Int, Int) throws(BlockError) -> Void
    ) throws(BlockError) {
        var done: UInt64 = 0
        while done < length {
            let position = offset + done
            let first = position.roundedDown(to: unit)
            let count = min(length - done, Self.pieceLength - (position - first))
            // The size is a multiple of `unit`, so this is not behind it.
            let end = (position + count).roundedUp(to: unit) ?? size
            let blocks = unsafe UnsafeMutableRawBufferPointer(rebasing: around.bytes[0..<Int(end - first)])
            unsafe try body(blocks, first, Int(done), Int(count))
            done += count
        }
    }
}
