/// A run of bytes that has changed since some point in time, or that has not.
public struct ChangedExtent: Hashable, Sendable {
    /// Bytes from the start of the device.
    public var offset: UInt64
    /// Bytes, never 0.
    public var length: UInt64
    /// The range may differ from what it was; false: it is as it was.
    public var isChanged: Bool

    public init(offset: UInt64, length: UInt64, isChanged: Bool) {
        self.offset = offset
        self.length = length
        self.isChanged = isChanged
    }

    public var end: UInt64 { offset + length }
}

/// What of a device has changed since one point in time: a dirty bitmap under a name, as far as those who read it are
/// concerned. An NBD server offers it as the metadata context `qemu:dirty-bitmap:NAME`.
///
/// Rules for implementations
/// - Calls come from any number of threads at once, also while the device is written to.
/// - A write that completed before the call began is shown as changed; one that overlaps it in time may be or not.
/// - Nothing that has changed is ever shown as unchanged: what is not known is changed.
public protocol ChangedExtentSource: AnyObject, Sendable {
    /// Its name among the bitmaps of one device: 1 to 255 bytes of UTF-8. It stays the same for the object's life.
    var name: String { get }
    /// Bytes that one bit stands for: a power of two of at least 512.
    var granularity: UInt64 { get }
    /// Appends the extents of `offset ..< offset + length` to `extents`, in order, without gaps; neighbours of one kind may or
    /// may not be joined. It may stop early after at least one extent: the caller goes on from the end of the last. What lies
    /// past the end of the bitmap (the device has grown since) is changed.
    func appendChanges(to extents: inout [ChangedExtent], at offset: UInt64, length: UInt64) throws(BlockError)
}
