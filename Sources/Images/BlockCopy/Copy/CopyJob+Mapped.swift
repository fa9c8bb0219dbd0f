import BlockIO
import Glibc

/// Copying from a mapping of the source: the kernel copies the bytes once, from the page cache of one file into that of
/// the other, after this thread has looked for zeroes in place.
extension CopyJob {
    /// Counts as memory of the process while it is mapped.
    static let windowBytes: UInt64 = 4 << 20
    /// Parts that are smaller on the average are gathered in a buffer, and written together.
    private static let smallestPart = 32 << 10

    /// All parts lie in files, and are large enough to be written one by one.
    func isWorthMapping(_ parts: [HostExtent], _ count: Int) -> Bool {
        count >= parts.count * Self.smallestPart
            && parts.allSatisfy { $0.file >= 0 && Int($0.file) < files.count }
    }

    /// Copies parts from a mapping of their files. False when not all were, and all are to be copied through a buffer.
    /// `places` becomes false when the destination gives data no place: another attempt is of no use.
    func moveMapped(
        _ parts: [HostExtent], from window: MappedWindow, _ places: inout Bool
    ) throws(BlockError) -> Bool {
        for part in parts where try !moveMapped(part, from: window, &places) { return false }
        return true
    }

    private func moveMapped(
        _ part: HostExtent, from window: MappedWindow, _ places: inout Bool
    ) throws(BlockError) -> Bool {
        let file = files[Int(part.file)]
        guard let target, let bytes = unsafe window.bytes(of: file, at: part.host, count: Int(part.length)) else {
            return false
        }
        var isPlaced = true
        do throws(BlockError) {
            var areThere = true
            var done = 0
            while done < bytes.count, areThere, isPlaced {
                let start = part.offset + UInt64(done)
                let count = min(bytes.count - done, Int(manner.buffer - start & (manner.buffer - 1)))
                // SAFETY: `count` is at most what is left.
                let step = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + count])
                areThere = try unsafe forEachRun(of: step, at: start, granule: manner.granule, areMapped: true) {
                    (run, isZero, within) throws(BlockError) in
                    let position = start + UInt64(within)
                    if !isZero {
                        if isPlaced { isPlaced = try unsafe put(run, at: position, into: target) == run.count }
                    } else if !destinationIsZero {
                        try destination.writeZeroes(at: position, length: UInt64(run.count), mayUnmap: true)
                    }
                }
                done += count
            }
            if !isPlaced { places = false }
            if areThere { return isPlaced }
        } catch {
            // What the kernel says of bytes that have vanished.
            if error.systemError != EFAULT { throw error }
        }
        if window.isCutShort { throw .cutShort(file) }
        // The storage cannot give them: reading says why.
        return false
    }
}
