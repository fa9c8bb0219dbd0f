public import BlockIO
import Synchronization

/// An export whose server may be killed alone: what it has answered and not flushed counts as held in its memory only.
public final class UnflushedExport: BlockDevice {
    private let export: NBDConnections
    private let ledger = FlushLedger()

    public init(_ export: NBDConnections) { self.export = export }

    public var size: UInt64 { export.size }
    public var isReadOnly: Bool { export.isReadOnly }
    public var preferredAlignment: UInt64 { export.preferredAlignment }
    public var hasVolatileMetadata: Bool { ledger.isVolatile }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe export.read(into: buffer, at: offset)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe export.write(data, at: offset) }
    }

    public func write(
        parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe export.write(parts: parts, of: data, at: offset) }
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try change { () throws(BlockError) in
            try export.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
        }
    }

    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        try change { () throws(BlockError) in try unsafe export.write(data, at: offset, within: patience) }
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try change { () throws(BlockError) in
            try export.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap, within: patience)
        }
    }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try change { () throws(BlockError) in try export.discard(at: offset, length: length) }
    }

    public func flush() throws(BlockError) {
        try ledger.flush { () throws(BlockError) in try export.flush() }
    }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try export.appendExtents(to: &extents, at: offset, length: length)
    }

    /// As `NBDConnections`.
    public func waitForEver() { export.waitForEver() }

    public func interrupt() { export.interrupt() }

    public func probe() throws(BlockError) { try export.probe() }

    /// What was refused before is so here, too.
    public func close() throws(BlockError) {
        var failure: BlockError?
        if !isReadOnly, ledger.isVolatile {
            do throws(BlockError) { try flush() } catch { failure = error }
        }
        do throws(BlockError) { try export.close() } catch { failure = failure ?? error }
        if let failure { throw failure }
    }

    private func change(_ body: () throws(BlockError) -> Void) throws(BlockError) {
        try ledger.change(body)
    }
}
