import CLinux
import Glibc
import Synchronization

/// Zeroes to write where the file system cannot make them.
private let zeroes = AlignedBuffer(count: 1 << 20)

extension ImageFile {
    /// Makes a range inside the file read as zeroes: a hole when `mayUnmap`, allocated space otherwise, as far as the
    /// file system can; written zeroes where it cannot. Never changes the length, but by written zeroes past it.
    public func zero(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {
        try checkWritable()
        if length == 0 { return }
        _ = try fileOffset(offset, 0)
        _ = try fileOffset(offset &+ length, 0)
        if mayUnmap, try punch(at: offset, length: length) { return }
        if !cannotZero.load(ordering: .relaxed) {
            let result = retrying { gantry_zero_range(descriptor, offset, length, true) }
            if result >= 0 { return }
            guard isUnsupported(result) else { throw failure("fallocate(ZERO_RANGE)", -result, at: offset) }
            if result != -EINVAL { cannotZero.store(true, ordering: .relaxed) }
        }
        try writeZeroes(at: offset, length: length)
    }

    /// Zeroes cost no writing of them, as far as is known: the first `zero` finds out.
    public var canZeroFast: Bool { !cannotZero.load(ordering: .relaxed) }

    /// Gives the space of a range back; it reads as zeroes then. False, and nothing done, where that is not possible.
    public func punch(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try checkWritable()
        if length == 0 { return true }
        _ = try fileOffset(offset, 0)
        _ = try fileOffset(offset &+ length, 0)
        if cannotPunch.load(ordering: .relaxed) { return false }
        let result = retrying { gantry_punch_hole(descriptor, offset, length) }
        if result >= 0 { return true }
        guard isUnsupported(result) else { throw failure("fallocate(PUNCH_HOLE)", -result, at: offset) }
        if result != -EINVAL { cannotPunch.store(true, ordering: .relaxed) }
        return false
    }

    /// Reserves space for a range, growing the file when needed. False where the file system cannot.
    @discardableResult
    public func preallocate(at offset: UInt64, length: UInt64) throws(BlockError) -> Bool {
        try checkWritable()
        if length == 0 { return true }
        _ = try fileOffset(offset, 0)
        _ = try fileOffset(offset &+ length, 0)
        let result = retrying { gantry_preallocate(descriptor, offset, length) }
        if result >= 0 { return true }
        guard isUnsupported(result) else { throw failure("fallocate", -result, at: offset) }
        return false
    }

    /// Writes zeroes, whatever the file system can.
    public func writeZeroes(at offset: UInt64, length: UInt64) throws(BlockError) {
        var position = offset
        var rest = length
        while rest > 0 {
            let count = unsafe Int(min(rest, UInt64(zeroes.bytes.count)))
            // SAFETY: the buffer lives as long as the process and is never written.
            try unsafe write(UnsafeRawBufferPointer(rebasing: zeroes.bytes[..<count]), at: position)
            position += UInt64(count)
            rest -= UInt64(count)
        }
    }

    /// The kind of the bytes at `offset` and where that kind ends, at most `end`. Asks the file system
    /// (SEEK_DATA/SEEK_HOLE); everything is data where it cannot tell, and a hole past the end of the file.
    public func run(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        try checkOpen()
        _ = try fileOffset(end, 0)
        let data = gantry_seek_data(descriptor, offset)
        if data == -Int64(ENXIO) {
            // Block devices and file systems that know no holes answer otherwise; here there is no data up to the end.
            return isBlockDevice ? (true, end) : (false, end)
        }
        if data < 0 { return (true, end) }
        if UInt64(data) > offset { return (false, min(UInt64(data), end)) }
        let hole = gantry_seek_hole(descriptor, offset)
        if hole <= Int64(offset) { return (true, end) }
        return (true, min(UInt64(hole), end))
    }

    /// The same where `run` has told that a hole ends at `offset`, and most likely data begins: asks once, not twice.
    public func dataRun(at offset: UInt64, end: UInt64) throws(BlockError) -> (isData: Bool, end: UInt64) {
        try checkOpen()
        _ = try fileOffset(end, 0)
        let hole = gantry_seek_hole(descriptor, offset)
        // The file may have changed since.
        if hole <= Int64(offset) { return try run(at: offset, end: end) }
        return (true, min(UInt64(hole), end))
    }

    private func retrying(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result != -EINTR { return result }
        }
    }

    private func isUnsupported(_ result: Int32) -> Bool {
        // EINVAL: a block device, and a range that is finer than its sectors.
        [EOPNOTSUPP, ENOSYS, ENODEV, EINVAL].contains(-result)
    }
}
