public import BlockIO

/// Whole arrays from and to a device, for tests.
extension BlockDevice {
    /// `count` bytes from `offset`.
    // Not inlined: where the result is not used, the optimiser (Swift 6.3) frees the array before it is filled.
    @inline(never)
    public func bytes(at offset: UInt64, count: Int) throws(BlockError) -> [UInt8] {
        let buffer = AlignedBuffer(count: count)
        // SAFETY: the buffer has at least `count` bytes, and outlives its use here.
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
        unsafe target.initializeMemory(as: UInt8.self, repeating: 0xEE)
        try unsafe read(into: target, at: offset)
        return unsafe Array(target)
    }

    /// Stores `content` at `offset`.
    public func store(_ content: [UInt8], at offset: UInt64) throws(BlockError) {
        let buffer = AlignedBuffer(count: content.count)
        // SAFETY: as above.
        unsafe buffer.bytes.copyBytes(from: content)
        try unsafe write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<content.count]), at: offset)
    }
}
