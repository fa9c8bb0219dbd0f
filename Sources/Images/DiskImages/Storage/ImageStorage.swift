internal import BlockIO

/// What an image format needs of the file below it. `ImageFile` is the real one; tests put a recorder or a failing
/// store in its place to examine every write and barrier.
protocol ImageStorage: AnyObject, Sendable {
    /// For errors.
    var path: String { get }
    var isReadOnly: Bool { get }
    var isBlockDevice: Bool { get }
    /// Nobody knows the file until it is complete: the order of writes, and what a crash leaves, mean nothing until then.
    var isUnpublished: Bool { get }
    func size() throws(BlockError) -> UInt64
    /// Bytes of storage the file occupies.
    func allocatedSize() throws(BlockError) -> UInt64
    /// Fills the buffer; zeroes past the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Fills the buffer; `.invalidImage` when the file ends before.
    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// A hint.
    func willRead(at offset: UInt64, length: UInt64)
    /// As `BlockDevice.putPages`.
    func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Writes zeroes, growing the file when needed.
    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError)
    /// Makes a range inside the file read as zeroes: a hole when `mayUnmap`, allocated space otherwise.
    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError)
    /// `zero` is known not to write zeroes out.
    var canZeroFast: Bool { get }
    /// Gives space back; false where that is not possible.
    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool
    /// Reserves space, growing the file when needed; false where that is not possible.
    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool
    func truncate(to length: UInt64) throws(BlockError)
    /// The kind of the bytes at `offset` and where that kind ends, at most `end`.
    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64)
    /// The same, sooner, at the end of a hole.
    func dataRun(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64)
    /// Returns when all earlier writes are durable. After one failure it fails for ever.
    func sync() throws(BlockError)
    /// As `BlockDevice.writeBack`.
    func writeBack(unless isOver: () -> Bool) throws(BlockError)
    /// Large writes may go past the page cache from here on.
    func bypassCache()
    var bypassesCache: Bool { get }
    /// They do not any more.
    func useCache()
    func close()
}

extension ImageFile: ImageStorage {}

extension ImageStorage {
    var isUnpublished: Bool { false }
    var canZeroFast: Bool { false }
    func willRead(at offset: UInt64, length: UInt64) {}
    func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int { 0 }
    func writeBack(unless isOver: () -> Bool) throws(BlockError) {}
    func bypassCache() {}
    var bypassesCache: Bool { false }
    func useCache() {}
    func dataRun(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        try run(at: offset, end: end)
    }

    /// `count` bytes at `offset`, for metadata of bounded size.
    func array(at offset: UInt64, count: Int) throws(BlockError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the array's own bytes, for the length of the call.
        let failure = unsafe bytes.withUnsafeMutableBytes { buffer -> BlockError? in
            do throws(BlockError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Stores an array, for metadata.
    func store(_ bytes: [UInt8], at offset: UInt64) throws(BlockError) {
        // SAFETY: the array's own bytes, for the length of the call.
        let failure = unsafe bytes.withUnsafeBytes { buffer -> BlockError? in
            do throws(BlockError) {
                try unsafe write(buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }

    /// A table of big-endian words, in host order.
    func words(at offset: UInt64, count: Int) throws(BlockError) -> [UInt64] {
        let bytes = try array(at: offset, count: count * 8)
        // SAFETY: `bytes` holds `count` words.
        return unsafe bytes.withUnsafeBytes { buffer in
            (0..<count).map { unsafe UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
    }
}
