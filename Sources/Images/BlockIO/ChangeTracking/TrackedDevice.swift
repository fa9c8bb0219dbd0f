/// A filter that marks what is about to change (`ChangeTracking`) before it passes it on.
public final class TrackedDevice: BlockDevice, @unchecked Sendable {
    private let device: any BlockDevice
    /// Nil where nothing is marked. @unchecked: changed by `handOver` alone, while its caller lets no request through.
    public private(set) var tracking: ChangeTracking?

    public init(_ device: any BlockDevice, tracking: ChangeTracking?) {
        self.device = device
        self.tracking = tracking
    }

    public var size: UInt64 { device.size }
    public var isReadOnly: Bool { device.isReadOnly }
    public var preferredAlignment: UInt64 { device.preferredAlignment }
    public var hasVolatileMetadata: Bool { device.hasVolatileMetadata }
    public var canZeroFast: Bool { device.canZeroFast }

    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try unsafe device.read(into: buffer, at: offset)
    }

    public func willRead(at offset: UInt64, length: UInt64) { device.willRead(at: offset, length: length) }

    public func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int {
        device.putPages(at: offset, length: length, into: pipe)
    }

    public func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {
        try mark(offset, UInt64(data.count))
        try unsafe device.write(data, at: offset)
    }

    public func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try mark(offset, length)
        try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        try mark(offset, UInt64(data.count))
        try unsafe device.write(data, at: offset, within: patience)
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try mark(offset, length)
        try device.writeZeroes(at: offset, length: length, mayUnmap: mayUnmap, within: patience)
    }

    public func write(
        parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        for part in parts { try mark(offset + UInt64(part.lowerBound), UInt64(part.count)) }
        try unsafe device.write(parts: parts, of: data, at: offset)
    }

    public func writeOut() throws(BlockError) -> Bool { try device.writeOut() }

    public func discard(at offset: UInt64, length: UInt64) throws(BlockError) {
        try mark(offset, length)
        try device.discard(at: offset, length: length)
    }

    public func flush() throws(BlockError) { try device.flush() }

    public func writeBack(unless isOver: () -> Bool) throws(BlockError) { try device.writeBack(unless: isOver) }

    public func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError) {
        try device.appendExtents(to: &extents, at: offset, length: length)
    }

    /// The log is closed after the image, also when that fails: its marks are complete either way.
    public func close() throws(BlockError) {
        var failure: BlockError?
        do throws(BlockError) { try device.close() } catch { failure = error }
        do throws(BlockError) { try tracking?.close() } catch { failure = failure ?? error }
        if let failure { throw failure }
    }

    public func interrupt() { device.interrupt() }

    public func probe() throws(BlockError) { try device.probe() }

    /// What comes to `other` is marked from here on and nothing that comes to this. No request may be under way in either.
    public func handOver(to other: TrackedDevice) {
        other.tracking = tracking
        tracking = nil
    }

    @inline(__always)
    private func mark(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        guard let tracking else { return }
        // A mirror's destination may be larger than what its log was made for; the disk never is.
        try device.checkRange(offset, length)
        if offset + length > tracking.size {
            throw BlockError(.outOfRange, "a request behind the end of the tracked disk", offset: offset)
        }
        try tracking.mark(offset, length)
    }
}
