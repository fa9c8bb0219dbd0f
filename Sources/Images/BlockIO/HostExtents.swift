/// A run of bytes of a device and where they lie in a file.
public struct HostExtent: Hashable, Sendable {
    /// Bytes from the start of the device.
    public var offset: UInt64
    /// Bytes, never 0.
    public var length: UInt64
    /// Offset of the first byte in the file, where `file` names one.
    public var host: UInt64
    /// Index into the device's `hostFiles`; -1 where no file holds the bytes as they are (compressed, a hole).
    public var file: Int32
    /// 0 for the topmost image of a chain, 1 for its parent, and so on; 0 for holes.
    public var depth: Int32
    public var kind: Extent.Kind

    @inlinable
    public init(
        offset: UInt64, length: UInt64, kind: Extent.Kind, depth: Int32 = 0, file: Int32 = -1, host: UInt64 = 0
    ) {
        self.offset = offset
        self.length = length
        self.kind = kind
        self.depth = depth
        self.file = file
        self.host = host
    }

    /// An extent of which no place is known.
    public init(_ extent: Extent) {
        self.init(
            offset: extent.offset, length: extent.length, kind: extent.kind, depth: Int32(clamping: extent.depth))
    }

    @inlinable public var end: UInt64 { offset + length }

    /// `next` goes on where this one ends: on the device, in kind, and in the file if there is one.
    @inlinable
    public func isContinued(by next: HostExtent) -> Bool {
        end == next.offset && kind == next.kind && depth == next.depth && file == next.file
            && (file < 0 || host &+ length == next.host)
    }
}

extension Array where Element == HostExtent {
    /// Appends, making one of two neighbours that adjoin on the device and in the file.
    @inlinable
    public mutating func appendJoining(_ extent: HostExtent) {
        if let last, last.isContinued(by: extent) {
            self[count - 1].length &+= extent.length
        } else {
            append(extent)
        }
    }
}

/// A device that tells in bulk where its bytes lie in files: whole tables at a time, not one lookup per extent.
///
/// What it tells stays true as long as nobody writes to the device or its parents.
public protocol HostMappedDevice: BlockDevice {
    /// The files of the image and its parents.
    var hostFiles: [ImageFile] { get }
    /// The holes of the files are known as such already.
    var knowsHoles: Bool { get }
    /// Like `appendExtents`, in ascending order and without gaps; may stop early after at least one extent. Depths are
    /// those of `appendExtents`, and so are kinds, but that whole allocation units may be called data although the file
    /// has holes in them. A hole that has a `file` is a hole in that file.
    func appendHostExtents(to extents: inout [HostExtent], at offset: UInt64, length: UInt64) throws(BlockError)
}

/// A device that can tell where in its file new data belongs, so that it can be put there by other means than `write`.
public protocol PlacingDevice: BlockDevice {
    /// Byte N of the device is byte N of the file, and places need no allocation.
    var isLinear: Bool { get }
    /// Gives space to the part of `offset ..< offset + length` that it can give it to at once, calls `put` with the
    /// file, the offset in it and the length of that part, and returns the length. Afterwards the part reads as what
    /// `put` stored; what else of the same allocation units had no space before reads as zeroes. Returns 0, without
    /// calling `put`, where only `write` will do.
    ///
    /// Several threads may be in `put` at once; no two requests may touch the same allocation unit meanwhile. When `put`
    /// throws, the part reads as before or as anything that was put.
    func place(
        at offset: UInt64, length: UInt64, put: (ImageFile, UInt64, UInt64) throws(BlockError) -> Void
    ) throws(BlockError) -> UInt64
    /// What is placed shares blocks with another file: the file system can do that, no data is written, and what is left
    /// to write are tables. Told at most once, by a copy into a new image, while nobody else uses the device.
    func noteSharing()
}

extension PlacingDevice {
    public func noteSharing() {}
}
