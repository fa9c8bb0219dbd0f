import CoreTypes

/// A device in memory, sparse in chunks of 64 KiB: the model that tests compare with, and scratch space.
@safe
public final class MemoryDevice: BlockDevice, @unchecked Sendable {
    // @unchecked: `chunks` and the bytes of the chunks are touched only under `lock`.
    private static let chunkSize: UInt64 = 65536

    public let size: UInt64
    public let isReadOnly: Bool
    public var preferredAlignment: UInt64 { 512 }
    public var canZeroFast: Bool { true }
    private let lock = ReadWriteLock()
    private var chunks: [UInt64: AlignedBuffer] = [:]
    private var isClosed = false

    /// A device of `size` zero bytes; `size` is rounded up to a multiple of 512 and may be far above free memory.
    public init(size: UInt64) {
        self.size = size.roundedUp(to: 512) ?? size.roundedDown(to: 512)
        isReadOnly = false
    }

    /// A device that holds `content`, with zeroes up to the next multiple of 512.
    public init(content: [UInt8], isReadOnly: Bool = false) {
        size = UInt64(content.count).roundedUp(to: 512) ?? 0
        self.isReadOnly = isReadOnly
        // SAFETY: the array's own bytes, for the length of the call.
        unsafe content.withUnsafeBytes { unsafe store($0, at: 0) }
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try check(offset, UInt64(buffer.count))
        lock.lockShared()
        defer { lock.unlock() }
        var done = 0
        while done < buffer.count {
            let (index, start, count) = Self.part(offset + UInt64(done), buffer.count - done)
            // SAFETY: `part` stays inside one chunk and inside the buffer.
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
            if let chunk = chunks[index] {
                unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk.bytes[start..<start + count]))
            } else {
                unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += count
        }
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkWrite(offset, UInt64(data.count))
        lock.lockExclusive()
        defer { lock.unlock() }
        unsafe store(data, at: offset)
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkWrite(offset, length)
        lock.lockExclusive()
        defer { lock.unlock() }
        // The chunks there are, or those of the range: whichever are fewer.
        if length == 0 { return }
        let end = offset + length
        let indices = offset / Self.chunkSize...(end - 1) / Self.chunkSize
        if UInt64(chunks.count) < UInt64(indices.count) {
            for index in chunks.keys where indices.contains(index) { clear(index, offset, end) }
        } else {
            for index in indices { clear(index, offset, end) }
        }
    }

    /// Zeroes what of a chunk lies in `offset ..< end`, with `lock` held exclusively.
    private func clear(_ index: UInt64, _ offset: UInt64, _ end: UInt64) {
        let first = index * Self.chunkSize
        let start = Int(max(offset, first) - first)
        let stop = Int(min(end - first, Self.chunkSize))
        if stop - start == Int(Self.chunkSize) {
            chunks[index] = nil
        } else if let chunk = chunks[index] {
            // SAFETY: inside one chunk.
            unsafe UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[start..<stop])
                .initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try writeZeroes(at: offset, length: length, mayUnmap: true)
    }

    public func flush() throws(BlockError) { try check(0, 0) }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try check(offset, length)
        lock.lockShared()
        defer { lock.unlock() }
        if chunks.isEmpty {
            if length > 0 { extents.append(Extent(offset: offset, length: length, kind: .hole)) }
            return
        }
        var position = offset
        // Bounded work per call: the caller goes on from the last extent.
        let end = min(offset + length, offset.addingReportingOverflow(65536 * Self.chunkSize).partialValue)
        while position < end {
            let index = position / Self.chunkSize
            let next = min((index + 1) * Self.chunkSize, end)
            extents.appendJoining(
                Extent(offset: position, length: next - position, kind: chunks[index] == nil ? .hole : .data))
            position = next
        }
    }

    public func close() throws(BlockError) {
        lock.lockExclusive()
        defer { lock.unlock() }
        isClosed = true
        chunks = [:]
    }

    /// With `lock` held exclusively, or before anyone else knows the device.
    private func store(_ data: UnsafeRawBufferPointer, at offset: UInt64) {
        var done = 0
        while done < data.count {
            let (index, start, count) = Self.part(offset + UInt64(done), data.count - done)
            let chunk = chunks[index] ?? AlignedBuffer(count: Int(Self.chunkSize))
            chunks[index] = chunk
            // SAFETY: `part` stays inside one chunk and inside the data.
            unsafe UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[start..<start + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: data[done..<done + count]))
            done += count
        }
    }

    private static func part(_ offset: UInt64, _ rest: Int) -> (index: UInt64, start: Int, count: Int) {
        let start = Int(offset % chunkSize)
        return (offset / chunkSize, start, min(rest, Int(chunkSize) - start))
    }

    private func check(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        lock.lockShared()
        defer { lock.unlock() }
        if isClosed { throw BlockError(.io, "the device was closed") }
        try checkRange(offset, length)
    }

    private func checkWrite(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        if isReadOnly { throw BlockError(.readOnly, "the device is read-only") }
        try check(offset, length)
    }
}
