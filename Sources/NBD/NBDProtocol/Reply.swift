// Heads of replies: "Simple reply message" (16 bytes) and "Structured reply chunk message" (20 bytes).

/// Magic, error (32 bits), handle; data of a READ follows when the error is 0.
public struct SimpleReply: Sendable, Equatable {
    public static let size = 16

    public var error: UInt32
    public var handle: UInt64

    @inlinable
    public init(error: UInt32 = 0, handle: UInt64) {
        self.error = error
        self.handle = handle
    }

    /// Reads the 12 bytes behind the magic number at `bytes`.
    @inlinable
    public init(from bytes: UnsafeRawPointer) {
        // SAFETY: the caller has 16 bytes there.
        unsafe error = bytes.big32(at: 4)
        unsafe handle = bytes.big64(at: 8)
    }

    @inlinable @inline(__always)
    public func store(to bytes: UnsafeMutableRawPointer) {
        // SAFETY: the caller has 16 bytes there.
        unsafe bytes.storeBig(NBDMagic.simpleReply, at: 0)
        unsafe bytes.storeBig(error, at: 4)
        unsafe bytes.storeBig(handle, at: 8)
    }
}

/// Magic, flags (bit 0: last chunk), type, handle, length of the payload that follows.
public struct ChunkHead: Sendable, Equatable {
    public static let size = 20
    /// The offset in front of the data of an OFFSET_DATA chunk.
    public static let offsetSize = 8

    public var isLast: Bool
    public var type: UInt16
    public var handle: UInt64
    public var length: UInt32

    @inlinable
    public init(isLast: Bool, type: UInt16, handle: UInt64, length: UInt32) {
        self.isLast = isLast
        self.type = type
        self.handle = handle
        self.length = length
    }

    /// Reads the 16 bytes behind the magic number at `bytes`.
    @inlinable
    public init(from bytes: UnsafeRawPointer) {
        // SAFETY: the caller has 20 bytes there.
        unsafe isLast = bytes.big16(at: 4) & 1 != 0
        unsafe type = bytes.big16(at: 6)
        unsafe handle = bytes.big64(at: 8)
        unsafe length = bytes.big32(at: 16)
    }

    @inlinable @inline(__always)
    public func store(to bytes: UnsafeMutableRawPointer) {
        // SAFETY: the caller has 20 bytes there.
        unsafe bytes.storeBig(NBDMagic.structuredReply, at: 0)
        unsafe bytes.storeBig(isLast ? 1 : 0 as UInt16, at: 4)
        unsafe bytes.storeBig(type, at: 6)
        unsafe bytes.storeBig(handle, at: 8)
        unsafe bytes.storeBig(length, at: 16)
    }
}

/// Writes an ERROR chunk with a message (at most 512 bytes of it) at `bytes`, which must have room for 538 bytes.
/// Returns how many were used.
public func storeErrorChunk(
    error: UInt32, message: String, handle: UInt64, to bytes: UnsafeMutableRawPointer
) -> Int {
    // A multi-byte character is not cut.
    let utf8 = Array(message.utf8.prefix(513))
    var length = min(utf8.count, 512)
    while length > 0, length < utf8.count, utf8[length] & 0xC0 == 0x80 { length -= 1 }
    // SAFETY: at most 512 bytes behind the 26 of the head.
    for index in 0..<length {
        unsafe bytes.storeBytes(of: utf8[index], toByteOffset: ChunkHead.size + 6 + index, as: UInt8.self)
    }
    let head = ChunkHead(isLast: true, type: ChunkType.error, handle: handle, length: UInt32(6 + length))
    unsafe head.store(to: bytes)
    unsafe bytes.storeBig(error, at: ChunkHead.size)
    unsafe bytes.storeBig(UInt16(length), at: ChunkHead.size + 4)
    return ChunkHead.size + 6 + length
}

/// Room that `storeErrorChunk` needs, in bytes.
public let largestErrorChunk = ChunkHead.size + 6 + 512
