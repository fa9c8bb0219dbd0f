import BlockIO
import Glibc
import Synchronization

@testable import BlockCopy

/// Set once.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Memory, requests of which may hang.
final class HangingDevice: BlockDevice {
    let base: MemoryDevice
    let hangs = Atomic<Bool>(false)
    let hangsReads = Atomic<Bool>(false)
    let hangsFlushes = Atomic<Bool>(false)
    let hangsClose = Atomic<Bool>(false)
    let hanging = Atomic<Int>(0)
    /// So many of those that hang, or will, may go on.
    let passes = Atomic<Int>(0)

    init(_ base: MemoryDevice) { self.base = base }

    func letGo() {
        hangs.store(false, ordering: .releasing)
        hangsReads.store(false, ordering: .releasing)
        hangsFlushes.store(false, ordering: .releasing)
        hangsClose.store(false, ordering: .releasing)
    }

    private func pass(while isHeld: () -> Bool) {
        if !isHeld() { return }
        hanging.add(1, ordering: .acquiringAndReleasing)
        while isHeld() {
            let left = passes.load(ordering: .acquiring)
            if left > 0,
                passes.compareExchange(expected: left, desired: left - 1, ordering: .acquiringAndReleasing).exchanged
            {
                break
            }
            usleep(500)
        }
        hanging.subtract(1, ordering: .acquiringAndReleasing)
    }

    var size: UInt64 { base.size }
    var isReadOnly: Bool { false }
    var preferredAlignment: UInt64 { 512 }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        pass { hangsReads.load(ordering: .acquiring) }
        try unsafe base.read(into: buffer, at: offset)
    }
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        pass { hangs.load(ordering: .acquiring) }
        try unsafe base.write(data, at: offset)
    }
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        pass { hangs.load(ordering: .acquiring) }
        try base.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) { pass { hangsFlushes.load(ordering: .acquiring) } }
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try base.appendExtents(to: &extents, at: offset, length: length)
    }
    func close() throws(BlockError) { pass { hangsClose.load(ordering: .acquiring) } }
}
