// Big-endian integers in raw memory, in arrays, and a bounds-checked reader for handshake data.

extension UnsafeRawPointer {
    // SAFETY: callers give an offset inside memory they own, as with any raw load.
    @inlinable @inline(__always)
    public func big16(at offset: Int) -> UInt16 {
        unsafe UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inlinable @inline(__always)
    public func big32(at offset: Int) -> UInt32 {
        unsafe UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inlinable @inline(__always)
    public func big64(at offset: Int) -> UInt64 {
        unsafe UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}

extension UnsafeMutableRawPointer {
    // SAFETY: as above; `storeBytes` needs no alignment.
    @inlinable @inline(__always)
    public func storeBig(_ value: UInt16, at offset: Int) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    @inlinable @inline(__always)
    public func storeBig(_ value: UInt32, at offset: Int) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @inlinable @inline(__always)
    public func storeBig(_ value: UInt64, at offset: Int) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }
}

extension Array where Element == UInt8 {
    /// Appends the bytes of `value`, most significant first.
    public mutating func appendBig(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }
}

/// Takes integers and strings off the front of some bytes; nil when they do not suffice.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var remaining: Int { rest.count }

    mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) -> T? {
        let width = T.bitWidth / 8
        guard rest.count >= width else { return nil }
        var value: T = 0
        for byte in rest.prefix(width) { value = value << 8 | T(byte) }
        rest = rest.dropFirst(width)
        return value
    }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// A string behind its length in 32 bits.
    mutating func string() -> String? {
        guard let length = integer(UInt32.self), let text = bytes(Int(length)) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }
}
