import BlockIO
import Glibc

@testable import DiskImages

/// A file in memory of bounded size. Writing to one that is read-only, and anything else that must never happen, traps:
/// that is what the fuzzer looks for.
final class FuzzStore: ImageStorage, @unchecked Sendable {
    // @unchecked: used by one thread.
    let path = "/nowhere/input"
    let isBlockDevice = false
    let isReadOnly: Bool
    private(set) var content: PagedBytes
    private let limit: Int
    private var isClosed = false
    /// Changes that are still taken; nil: all. Afterwards the file is full, until this is set again.
    var changesLeft: Int?
    /// Barriers that still succeed; nil: all. After one failure they fail for ever.
    var barriersLeft: Int?

    init(_ content: PagedBytes, readOnly: Bool) {
        self.content = content
        isReadOnly = readOnly
        limit = content.count + 64 << 20
    }

    func size() throws(BlockError) -> UInt64 { UInt64(content.count) }
    func allocatedSize() throws(BlockError) -> UInt64 { UInt64(content.count) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard offset < UInt64(Int64.max) else { throw BlockError(.outOfRange, "past 2^63", offset: offset) }
        content.read(into: buffer, at: Int(offset))
    }

    func readExactly(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        guard offset <= UInt64(content.count), buffer.count <= content.count - Int(offset) else {
            throw BlockError(.invalidImage, "the file ends inside a structure", path: path, offset: offset)
        }
        try read(into: buffer, at: offset)
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try checkRoom(offset, UInt64(data.count))
        content.write(data, at: Int(offset))
    }

    func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        try checkRoom(offset, length)
        if Int(offset + length) > content.count { content.resize(to: Int(offset + length)) }
        content.zero(Int(offset)..<Int(offset + length))
    }

    func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkRoom(offset, length)
        let end = min(Int(offset + length), content.count)
        if Int(offset) < end { content.zero(Int(offset)..<end) }
    }

    func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try zero(at: offset, length: length, mayUnmap: true)
        return true
    }

    func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try checkRoom(offset, length)
        if Int(offset + length) > content.count { content.resize(to: Int(offset + length)) }
        return true
    }

    func truncate(to length: UInt64) throws(BlockError) {
        try checkRoom(0, length)
        content.resize(to: Int(length))
    }

    func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        offset >= UInt64(content.count) ? (false, end) : (true, min(end, UInt64(content.count)))
    }

    func sync() throws(BlockError) {
        guard let left = barriersLeft else { return }
        if left == 0 { throw BlockError(.io, "a barrier failed", path: path, systemError: EIO) }
        barriersLeft = left - 1
    }
    func close() { isClosed = true }

    private func checkRoom(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        precondition(!isReadOnly, "a read-only image was written")
        precondition(!isClosed, "a closed file was written")
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard !overflow, end <= UInt64(limit) else {
            throw BlockError(.noSpace, "the test file is full", path: path, offset: offset, systemError: ENOSPC)
        }
        guard let left = changesLeft else { return }
        if left == 0 {
            throw BlockError(.noSpace, "the test file is full now", path: path, offset: offset, systemError: ENOSPC)
        }
        changesLeft = left - 1
    }
}
