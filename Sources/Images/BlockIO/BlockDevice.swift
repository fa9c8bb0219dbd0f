/// A random-access array of bytes: an image of any format, a file, memory, a remote export, or a filter over another.
///
/// Rules for implementations
/// - All calls are synchronous and may come from any number of threads at once. Requests that overlap in time and
///   range may take effect in any order, each sector of 512 bytes as a whole.
/// - Offsets and lengths are bytes. Any alignment is legal; a request past `size` throws `.outOfRange` and does nothing.
/// - A completed write is visible to every later read. It is durable only after a `flush` that began later returned.
/// - No call traps on anything a file or peer contains.
public protocol BlockDevice: AnyObject, Sendable {
    /// Virtual size in bytes, a multiple of 512.
    var size: UInt64 { get }
    var isReadOnly: Bool { get }
    /// Requests that are multiples of this many bytes (a power of two, at least 512) are served best: the cluster or
    /// block size of the image.
    var preferredAlignment: UInt64 { get }
    /// Completed changes depend on metadata that only this process's memory holds: should it die before the next
    /// `flush`, they are lost even if the machine lives on. Cheap to ask; true from before such a change completes until
    /// after a flush made it durable.
    var hasVolatileMetadata: Bool { get }
    /// `writeZeroes` takes less time than writing the zeroes out. Cheap to ask.
    var canZeroFast: Bool { get }

    /// Fills `buffer` from `offset`.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// A hint that a range will be read soon: storage may begin to bring it into memory, and nobody waits for it. Ranges that
    /// cannot be read are no error here.
    func willRead(at offset: UInt64, length: UInt64)
    /// Puts up to `length` bytes from `offset` into a pipe as pages of the page cache, without a copy: how many, from the
    /// start of the range. 0 where that does not go; what is missing, and any error, is `read`'s. Until they are taken out,
    /// what is written to these bytes shows in them; a device whose bytes may become those of another place must not do it.
    func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int
    /// Stores `data` at `offset`.
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// `write` of parts of `data`, whose first byte belongs to `offset`: ranges of its bytes, in order, none of which is empty. What lies
    /// between them stays as it is. To a peer they go together, for one way there and back.
    func write(parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError)
    /// Makes a range read as zeroes. `mayUnmap`: space below may be given back; otherwise allocated space stays so.
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError)
    /// Says that the content of a range is of no more use. Afterwards it reads as zeroes or as before.
    func discard(at offset: UInt64, length: UInt64) throws(BlockError)
    /// Returns when all writes completed before the call are durable.
    func flush() throws(BlockError)
    /// `write`, and `writeZeroes`, by who cannot wait for ever: throws `.late` when a peer has not answered in time. `patience`
    /// knows then of what the peer may still do. Where there is no peer, as the other ones.
    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience) throws(BlockError)
    func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError)
    /// Hands to the kernel what `hasVolatileMetadata` speaks of: changes that were completed before the call outlive this
    /// process from when it returns. None becomes durable, and in which order they do is left open: should the machine lose
    /// its power before the next `flush` has returned, the image may contradict itself. For images that are being filled and
    /// are of no use until then. False: only a flush does that here.
    func writeOut() throws(BlockError) -> Bool
    /// Has most of what the next `flush` would have to write written, a little at a time, so that requests which come meanwhile
    /// wait for none of it. Nothing is promised by it; it ends early when `isOver`, and does nothing where there is no file of
    /// ours below. What is found to be lost is lost for `flush`, too.
    func writeBack(unless isOver: () -> Bool) throws(BlockError)
    /// Appends the extents of `offset ..< offset + length` to `extents`, in order, without gaps; neighbours of the
    /// same kind may or may not be joined. It may stop early after at least one extent: the caller goes on from the end
    /// of the last.
    func appendExtents(to extents: inout [Extent], at offset: UInt64, length: UInt64) throws(BlockError)
    /// Asks every connection to a peer for something small, all at once: whether each of them still goes to somebody who answers.
    /// Waits as any read does. Nothing happens where there is no peer.
    func probe() throws(BlockError)
    /// Requests that wait for a peer, now or later, fail soon. For who is about to close a device whose content is of no more
    /// use; nothing happens where there is no peer. Waits for nothing.
    func interrupt()
    /// Writes back what is cached, flushes and releases the files. Later calls throw. Called once by the owner.
    func close() throws(BlockError)
}

extension BlockDevice {
    public var hasVolatileMetadata: Bool { false }
    public var canZeroFast: Bool { false }
    public func willRead(at offset: UInt64, length: UInt64) {}
    public func interrupt() {}
    public func probe() throws(BlockError) {}
    public func writeOut() throws(BlockError) -> Bool { !hasVolatileMetadata }

    public func write(
        _ data: UnsafeRawBufferPointer, at offset: UInt64, within patience: Patience
    ) throws(BlockError) {
        try unsafe write(data, at: offset)
    }

    public func writeZeroes(
        at offset: UInt64, length: UInt64, mayUnmap: Bool, within patience: Patience
    ) throws(BlockError) {
        try writeZeroes(at: offset, length: length, mayUnmap: mayUnmap)
    }

    public func write(
        parts: [Range<Int>], of data: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(BlockError) {
        for part in parts {
            try unsafe write(UnsafeRawBufferPointer(rebasing: data[part]), at: offset + UInt64(part.lowerBound))
        }
    }

    public func writeBack(unless isOver: () -> Bool) throws(BlockError) {}
    public func putPages(at offset: UInt64, length: Int, into pipe: Int32) -> Int { 0 }

    /// Throws `.outOfRange` unless `offset ..< offset + length` lies inside the device.
    @inlinable
    public func checkRange(_ offset: UInt64, _ length: UInt64) throws(BlockError) {
        if offset > size || length > size - offset {
            throw BlockError(
                .outOfRange, "request of \(length) bytes reaches past the end of the device of \(size) bytes",
                offset: offset)
        }
    }

    /// `willRead` of as much of a range as there is: a parent may be smaller than what stands on it.
    public func willReadInside(at offset: UInt64, length: UInt64) {
        if offset < size { willRead(at: offset, length: min(length, size - offset)) }
    }

    /// All extents of a range, neighbours of one kind joined.
    public func extents(at offset: UInt64, length: UInt64) throws(BlockError) -> [Extent] {
        try checkRange(offset, length)
        var all: [Extent] = []
        var part: [Extent] = []
        var position = offset
        let end = offset + length
        while position < end {
            part.removeAll(keepingCapacity: true)
            try appendExtents(to: &part, at: position, length: end - position)
            guard let last = part.last, last.end > position else {
                throw BlockError(.io, "the extent map does not advance", offset: position)
            }
            for extent in part { all.appendJoining(extent) }
            position = min(last.end, end)
        }
        return all
    }
}
