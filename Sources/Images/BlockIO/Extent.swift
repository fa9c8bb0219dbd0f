/// A run of bytes of one kind on a device.
public struct Extent: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        /// Stored bytes: must be read to be known.
        case data
        /// Reads as zeroes, and space is allocated or the image says so explicitly.
        case zero
        /// Reads as zeroes and nothing is stored for it in any image of the chain.
        case hole
    }

    /// Bytes from the start of the device.
    public var offset: UInt64
    /// Bytes, never 0.
    public var length: UInt64
    public var kind: Kind
    /// 0 for the topmost image of a chain, 1 for its parent, and so on; 0 for holes.
    public var depth: Int

    public init(offset: UInt64, length: UInt64, kind: Kind, depth: Int = 0) {
        self.offset = offset
        self.length = length
        self.kind = kind
        self.depth = depth
    }

    public var end: UInt64 { offset + length }
}

extension Array where Element == Extent {
    /// Appends, making one of two neighbours of the same kind and depth.
    public mutating func appendJoining(_ extent: Extent) {
        if let last = self.last, last.end == extent.offset, last.kind == extent.kind, last.depth == extent.depth {
            self[count - 1].length += extent.length
        } else {
            append(extent)
        }
    }
}
