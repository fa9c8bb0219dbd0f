import BlockIO

/// A bounded cache of pages of a file that nobody writes, for tables that may be larger than memory. Any thread may ask;
/// one page at a time is read or looked at.
@safe
final class TablePages: @unchecked Sendable {
    // @unchecked: `slots` is touched only under `lock`.
    private struct Slot {
        var page = UInt64.max
        var buffer: AlignedBuffer?
    }

    typealias Load = @Sendable (UnsafeMutableRawBufferPointer, UInt64) throws(BlockError) -> Void

    private let pageBytes: Int
    private let load: Load
    private let lock = Monitor()
    private var slots: [Slot]

    /// At most `slots` pages of `pageBytes` (a power of two). `load` fills a buffer from a file offset; what lies past
    /// the end of the file is zeroes.
    init(pageBytes: Int, slots: Int, load: @escaping Load) {
        self.pageBytes = pageBytes
        unsafe self.load = unsafe load
        self.slots = [Slot](repeating: Slot(), count: slots)
    }

    /// Calls `body` with the bytes from `offset` to the end of the page, at least one.
    func withBytes<T>(
        at offset: UInt64, _ body: (UnsafeRawBufferPointer) throws(BlockError) -> T
    ) throws(BlockError) -> T {
        let page = offset / UInt64(pageBytes)
        let start = Int(offset % UInt64(pageBytes))
        lock.lock()
        defer { lock.unlock() }
        let index = Int(page % UInt64(slots.count))
        let buffer = slots[index].buffer ?? AlignedBuffer(count: pageBytes)
        if slots[index].page != page {
            slots[index] = Slot(page: .max, buffer: buffer)
            try unsafe load(buffer.bytes, page * UInt64(pageBytes))
            slots[index].page = page
        }
        // SAFETY: start < pageBytes, the buffer's count; the buffer stays while the lock is held.
        return try unsafe body(UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<pageBytes]))
    }

    /// A word of a table whose entries do not cross pages.
    func word64(at offset: UInt64) throws(BlockError) -> UInt64 {
        try unsafe withBytes(at: offset) { (bytes) throws(BlockError) in
            unsafe bytes.count < 8 ? 0 : UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        }
    }

    func word32(at offset: UInt64) throws(BlockError) -> UInt32 {
        try unsafe withBytes(at: offset) { (bytes) throws(BlockError) in
            unsafe bytes.count < 4 ? 0 : UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        }
    }
}
