import BlockIO

/// Whole-array access to a device, for tests.
extension BlockDevice {
    // Not inlined: where the result is not used, the optimiser (Swift 6.3) frees the array before it is filled.
    @inline(never)
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        let buffer = AlignedBuffer(count: count)
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
        unsafe target.initializeMemory(as: UInt8.self, repeating: 0xEE)
        try unsafe read(into: target, at: offset)
        return unsafe Array(target)
    }

    func store(_ content: [UInt8], at offset: UInt64) throws {
        let buffer = AlignedBuffer(count: content.count)
        unsafe buffer.bytes.copyBytes(from: content)
        try unsafe write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<content.count]), at: offset)
    }
}

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () throws -> Void) -> BlockError.Code? {
    do {
        try body()
        return nil
    } catch let error as BlockError {
        return error.code
    } catch { return nil }
}
