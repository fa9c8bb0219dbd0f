/// The 28 bytes before each request ("Request message"):
///
/// | offset | width | field |
/// | --- | --- | --- |
/// | 0 | 4 | magic |
/// | 4 | 2 | command flags |
/// | 6 | 2 | type |
/// | 8 | 8 | handle, chosen by the client |
/// | 16 | 8 | offset |
/// | 24 | 4 | length |
///
/// A WRITE is followed by `length` bytes of data.
public struct NBDRequest: Sendable, Equatable {
    public static let size = 28

    public var flags: CommandFlags
    public var command: UInt16
    public var handle: UInt64
    /// Bytes from the start of the export.
    public var offset: UInt64
    /// Bytes.
    public var length: UInt32

    @inlinable
    public init(command: UInt16, flags: CommandFlags = [], handle: UInt64, offset: UInt64 = 0, length: UInt32 = 0) {
        self.flags = flags
        self.command = command
        self.handle = handle
        self.offset = offset
        self.length = length
    }

    /// Reads 28 bytes; nil when the magic number is wrong.
    @inlinable @inline(__always)
    public init?(from bytes: UnsafeRawPointer) {
        // SAFETY: the caller has 28 bytes there.
        guard unsafe bytes.big32(at: 0) == NBDMagic.request else { return nil }
        unsafe flags = CommandFlags(rawValue: bytes.big16(at: 4))
        unsafe command = bytes.big16(at: 6)
        unsafe handle = bytes.big64(at: 8)
        unsafe offset = bytes.big64(at: 16)
        unsafe length = bytes.big32(at: 24)
    }

    /// Writes 28 bytes.
    @inlinable @inline(__always)
    public func store(to bytes: UnsafeMutableRawPointer) {
        // SAFETY: the caller has 28 bytes there.
        unsafe bytes.storeBig(NBDMagic.request, at: 0)
        unsafe bytes.storeBig(flags.rawValue, at: 4)
        unsafe bytes.storeBig(command, at: 6)
        unsafe bytes.storeBig(handle, at: 8)
        unsafe bytes.storeBig(offset, at: 16)
        unsafe bytes.storeBig(length, at: 24)
    }
}
