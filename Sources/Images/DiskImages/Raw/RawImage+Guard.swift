import BlockIO

extension RawImage {
    /// Before a write of `data` (zeroes when nil) to a range. With the guard on, a change of the first or the last
    /// sector is refused when it would put another format's mark there. True: the caller gives `marks` back when it has
    /// written. So such changes come one at a time, and no two of them make a mark together.
    @inline(__always)
    func enterGuard(
        _ offset: UInt64, _ length: UInt64, _ data: UnsafeRawBufferPointer?
    ) throws(BlockError) -> Bool {
        if !refusesForeignMarks { return false }
        return try unsafe examine(offset, length, data)
    }

    private func examine(
        _ offset: UInt64, _ length: UInt64, _ data: UnsafeRawBufferPointer?
    ) throws(BlockError) -> Bool {
        let size = size
        // Nothing is left of a disk that was shrunk to nothing.
        if length == 0 || size < 512 { return false }
        let last = size - 512
        if offset >= 512 && offset + length <= last { return false }
        marks.lock()
        do throws(BlockError) {
            if offset < 512, let name = RawMarks.name(ofFirst: try unsafe sector(0, offset, length, data)) {
                throw refusal(name, 0)
            }
            if offset + length > last, let name = RawMarks.name(ofLast: try unsafe sector(last, offset, length, data)) {
                throw refusal(name, last)
            }
            return true
        } catch {
            marks.unlock()
            throw error
        }
    }

    /// The sector at `start` as it will be.
    private func sector(
        _ start: UInt64, _ offset: UInt64, _ length: UInt64, _ data: UnsafeRawBufferPointer?
    ) throws(BlockError) -> [UInt8] {
        var bytes = try file.array(at: start, count: 512)
        for index in 0..<512 {
            let position = start + UInt64(index)
            guard position >= offset, position - offset < length else { continue }
            // SAFETY: `data` has `length` bytes.
            bytes[index] = unsafe data.map { unsafe $0[Int(position - offset)] } ?? 0
        }
        return bytes
    }

    private func refusal(_ name: String, _ offset: UInt64) -> BlockError {
        BlockError(
            .denied,
            "the write would make this raw image, whose format nobody confirmed, look like \(name); declare it raw first",
            path: file.path, offset: offset)
    }
}
