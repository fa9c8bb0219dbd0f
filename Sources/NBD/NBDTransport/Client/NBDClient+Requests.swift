public import BlockIO
import CoreTypes
import NBDProtocol

// Device calls as requests, split where the server's limits want it.
// SAFETY: pointers stay inside the callers' buffers; the line returns only when the receiver is done with them.

extension NBDClient {
    /// Longest TRIM, WRITE_ZEROES and BLOCK_STATUS, in bytes; a multiple of every `unit`.
    private static let longestRange: UInt64 = 1 << 30

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRange(offset, UInt64(buffer.count))
        if unit > 1, !isAligned(offset, UInt64(buffer.count)) {
            return unsafe try readAround(buffer, at: offset)
        }
        unsafe try readAligned(buffer, at: offset)
    }

    func readAligned(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard let base = buffer.baseAddress else { return }
        var done = 0
        while done < buffer.count {
            let part = min(buffer.count - done, Int(largestRequest))
            unsafe try line.perform(
                NBDCommand.read, [], at: offset + UInt64(done), length: UInt32(part),
                payload: UnsafeRawBufferPointer(start: nil, count: 0), into: base + done)
            done += part
        }
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe try store(data, at: offset, within: nil)
    }

    /// What the server wants to be part of a larger write takes as long as it takes: it is read first.
    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        unsafe try store(data, at: offset, within: patience)
    }

    private func store(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience?
    ) throws(BlockError) {
        try checkWrite(offset, UInt64(data.count))
        if unit > 1 {
            guard isAligned(offset, UInt64(data.count)) else { return unsafe try rewrite(data, at: offset) }
            try shareRewriting(offset, UInt64(data.count), within: patience)
            defer { rewriting.unlock() }
            return unsafe try writeAligned(data, at: offset, within: patience)
        }
        unsafe try writeAligned(data, at: offset, within: patience)
    }

    func writeAligned(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience? = nil
    ) throws(BlockError) {
        var done = 0
        while done < data.count {
            let part = min(data.count - done, Int(largestRequest))
            let payload = unsafe UnsafeRawBufferPointer(rebasing: data[done..<done + part])
            unsafe try line.perform(
                NBDCommand.write, [], at: offset + UInt64(done), length: UInt32(part), payload: payload, into: nil,
                within: patience)
            done += part
        }
    }

    /// Together, so many at a time that others find room beside them; one by one where the server wants larger blocks than a part.
    public func write(
        parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        try checkWrite(offset, UInt64(data.count))
        let areWhole = parts.allSatisfy { part in
            isAligned(offset + UInt64(part.lowerBound), UInt64(part.count)) && UInt64(part.count) <= largestRequest
        }
        guard areWhole, parts.count > 1 else {
            for part in parts {
                try unsafe write(UnsafeRawBufferPointer(rebasing: data[part]), at: offset + UInt64(part.lowerBound))
            }
            return
        }
        if unit > 1 { rewriting.lockShared() }
        defer { if unit > 1 { rewriting.unlock() } }
        try unsafe line.write(parts, of: data, at: offset)
    }

    /// A server without WRITE_ZEROES gets zeroes written out.
    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try clear(offset, length, mayUnmap: mayUnmap, within: nil)
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try clear(offset, length, mayUnmap: mayUnmap, within: patience)
    }

    private func clear(
        _ offset: UInt64, _ length: UInt64, mayUnmap: Bool, within patience: Patience?
    ) throws(BlockError) {
        try checkWrite(offset, length)
        guard flags.contains(.writeZeroes), isAligned(offset, length) else {
            return try writeZeroBuffers(at: offset, length: length, within: patience)
        }
        let flags: CommandFlags = mayUnmap ? [] : .noHole
        try shareRewriting(offset, length, within: patience)
        defer { rewriting.unlock() }
        try inRanges(offset, length) { (offset, length) throws(BlockError) in
            try line.perform(NBDCommand.writeZeroes, flags, at: offset, length: length, within: patience)
        }
    }

    private func writeZeroBuffers(
        at offset: UInt64, length: UInt64, within patience: Patience?
    ) throws(BlockError) {
        let zeroes = AlignedBuffer(count: Int(min(length, 1 << 20)))
        var done: UInt64 = 0
        while done < length {
            let part = unsafe zeroes.bytes[0..<Int(min(length - done, 1 << 20))]
            try unsafe store(UnsafeRawBufferPointer(rebasing: part), at: offset + done, within: patience)
            done += unsafe UInt64(part.count)
        }
    }

    /// A server without TRIM keeps the content, which the contract allows; so do the ends of an unaligned range.
    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkWrite(offset, length)
        let begin = offset.roundedUp(to: unit) ?? offset
        let end = (offset + length).roundedDown(to: unit)
        guard flags.contains(.trim), begin < end else { return }
        try inRanges(begin, end - begin) { (offset, length) throws(BlockError) in
            try line.perform(NBDCommand.trim, [], at: offset, length: length)
        }
    }

    public func flush() throws(BlockError) {
        // A server without FLUSH has nothing that could be flushed.
        if flags.contains(.flush) { try line.perform(NBDCommand.flush, [], at: 0, length: 0) }
    }

    /// Where the server does not offer `base:allocation`, everything is data. Depth is not known over NBD: always 0.
    public func appendExtents(
        to extents: inout [Extent], at offset: UInt64, length: UInt64
    ) throws(BlockError) {
        try checkRange(offset, length)
        if length == 0 { return }
        guard line.agreement.allocationContext != nil else {
            extents.append(Extent(offset: offset, length: length, kind: .data))
            return
        }
        let begin = offset.roundedDown(to: unit)
        let end = min((offset + length).roundedUp(to: unit) ?? size, begin + Self.longestRange)
        let found = try line.perform(NBDCommand.blockStatus, [], at: begin, length: UInt32(end - begin))
        for var extent in found {
            let stop = min(extent.end, offset + length)
            extent.offset = max(extent.offset, offset)
            if stop <= extent.offset { continue }
            extent.length = stop - extent.offset
            extents.append(extent)
        }
    }

    /// The smallest read: every server knows it, and it waits for no other request.
    public func probe() throws(BlockError) {
        let count = Int(min(size, max(512, unit)))
        if count == 0 { return }
        let buffer = AlignedBuffer(count: count)
        try unsafe readAligned(UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[0..<count]), at: 0)
    }

    /// Flushes and disconnects; callers still waiting in other threads get `.disconnected`.
    public func close() throws(BlockError) {
        defer { line.close() }
        if !isReadOnly { try flush() }
    }

    func isAligned(_ offset: UInt64, _ length: UInt64) -> Bool { (offset | length) & (unit - 1) == 0 }

    private func checkWrite(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        if isReadOnly { throw BlockError(.readOnly, "the NBD export is read-only", offset: offset) }
        try checkRange(offset, length)
    }

    private func inRanges(
        _ offset: UInt64, _ length: UInt64, _ body: (UInt64, UInt32) throws(BlockError) -> Void
    ) throws(BlockError) {
        var done: UInt64 = 0
        while done < length {
            let part = min(length - done, Self.longestRange)
            try body(offset + done, UInt32(part))
            done += part
        }
    }
}
