import BlockIO
import Synchronization

/// A device over another that refuses writes and flushes from a chosen moment on.
final class FailingDevice: BlockDevice {
    let base: any BlockDevice
    private let writesLeft: Atomic<Int>

    /// `writes` writes succeed, all later ones fail with `.noSpace`.
    init(_ base: any BlockDevice, writes: Int) {
        self.base = base
        writesLeft = Atomic(writes)
    }

    /// Every write from now on fails.
    func failNow() { writesLeft.store(0, ordering: .relaxed) }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { base.isReadOnly }
    var preferredAlignment: UInt64 { base.preferredAlignment }

    private func spend() throws(BlockError) {
        if writesLeft.subtract(1, ordering: .relaxed).newValue < 0 {
            throw BlockError(.noSpace, "injected: No space left on device")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try spend()
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try spend()
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) { try base.discard(at: offset, length: length) }
    func flush() throws(BlockError) { try base.flush() }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { try base.close() }
}
