import CLinux
import Glibc

/// Copies between files that the kernel makes by itself, and looks that cost no more than a call.
extension ImageFile {
    /// The file lies in memory only (tmpfs): there is no storage below its page cache.
    public var isInMemory: Bool { gantry_is_in_memory(descriptor) }

    /// Lets the kernel copy `length` bytes at `from` of `source` to `offset`, without mapping them or reading them into a
    /// buffer. Returns how many it copied: fewer than all, or none, where it cannot go on, be it that it does not copy
    /// between these files, that the source ends, or that the space does. Who reads and writes the rest learns why.
    public func copyRange(
        from source: ImageFile, at from: UInt64, length: UInt64, to offset: UInt64
    ) throws(BlockError) -> UInt64 {
        try source.checkOpen()
        try checkWritable()
        if isBlockDevice || source.isBlockDevice { return 0 }
        var done: UInt64 = 0
        while done < length {
            // Far less than one call may be asked for, and a multiple of what file systems allocate.
            let count = min(length - done, 1 << 30)
            _ = try source.fileOffset(from &+ done, Int(count))
            _ = try fileOffset(offset &+ done, Int(count))
            let copied = gantry_copy_file_range(
                source.descriptor, from + done, descriptor, offset + done, Int(count))
            if copied == -Int64(EINTR) { continue }
            if copied <= 0 { break }
            done += UInt64(copied)
        }
        return done
    }

    /// What a few bytes on both sides of an offset are.
    public struct Sample: Equatable, Sendable {
        /// All bytes before the offset that were asked for are zero; true for none.
        public let isZeroBefore: Bool
        /// The same for those from the offset on.
        public let isZeroAfter: Bool
    }

    /// Looks at `before` bytes before `offset` and `after` bytes from there on, at most 64 each. Nil where they are better
    /// read together with what is around them: not (all) in the page cache, or not inside the file.
    /// - Parameter isInMemory: what `isInMemory` says of this file.
    public func sample(
        at offset: UInt64, before: UInt64, after: UInt64, isInMemory: Bool
    ) throws(BlockError) -> Sample? {
        try checkOpen()
        let found = gantry_sample(descriptor, offset, Int(before), Int(after), !isInMemory)
        return found < 0 ? nil : Sample(isZeroBefore: found & 1 == 0, isZeroAfter: found & 2 == 0)
    }
}
