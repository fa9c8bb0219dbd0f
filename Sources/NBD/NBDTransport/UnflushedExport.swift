public import BlockIO
import Synchronization

/// An export whose server may be killed alone: what it has answered and not flushed counts as held in its memory only.
public final class UnflushedExport: BlockDevice {
    private let export: NBDConnections
    /// Changes that were begun, those that are completed, and those that were completed before the last good flush began.
    private let begun = Atomic<UInt64>(0)
    private let completed = Atomic<UInt64>(0)
    private let covered = Atomic<UInt64>(0)

    public init(_ export: NBDConnections) { self.export = export }

    public var size: UInt64 { export.size }
    public var isReadOnly: Bool { export.isReadOnly }
    public var preferredAlignment: UInt64 { export.preferredAlignment }
    /// Never false while a change is under way, or was when the last flush began.
    public var hasVolatileMetadata: Bool { begun.load(ordering: .acquiring) != covered.load(ordering: .acquiring) }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe export.read(into: buffer, at: offset)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe export.write(data, at: offset) }
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change { () throws(BlockError) in
            try export.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try export.discard(at: offset, length: length) }
    }

    public func flush() throws(BlockError) {
        let before = completed.load(ordering: .acquiring)
        try export.flush()
        covered.max(before, ordering: .acquiringAndReleasing)
    }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try export.appendExtents(to: &extents, at: offset, length: length)
    }

    /// As `NBDConnections`.
    public func waitForEver() { export.waitForEver() }

    public func interrupt() { export.interrupt() }

    public func close() throws(BlockError) { try export.close() }

    private func change(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        begun.add(1, ordering: .acquiringAndReleasing)
        // One that failed may have changed something all the same.
        defer { completed.add(1, ordering: .acquiringAndReleasing) }
        try body()
    }
}
