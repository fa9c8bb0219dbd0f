import CLinux
import Glibc
import Synchronization

/// Bytes that are given to the disk at a time. Twice as many are under way: few enough to leave room in the disk's queue.
private let part: UInt64 = 1 << 20
/// Where nothing of so many bytes is dirty, as the kernel may tell, no part of them is asked for.
private let window: UInt64 = 64 << 20

/// Writing back gently. The kernel locks pages from before it finds them a place on the disk until they are in its queue, up to
/// 8 MiB of them, and who writes to one of them waits for it: with a full queue, until so much has been written. `sync` fills
/// the queue. Here the next part is given to the disk when the last but one is written, so that no page stays locked.
extension ImageFile {
    /// As `BlockDevice.writeBack`.
    public func writeBack(unless isOver: () -> Bool) throws(BlockError) {
        try checkOpen()
        try checkSynced()
        if isReadOnly || isUnpublished { return }
        let end = try size()
        var position: UInt64 = 0
        var before: Range<UInt64>?
        while position < end, !isOver() {
            try checkOpen()
            if position % window == 0 {
                if dirtyPages(at: position, length: window) == 0 {
                    position += window
                    continue
                }
                // Where the kernel does not tell of pages, it does of holes.
                let data = gantry_seek_data(descriptor, position)
                if data == -Int64(ENXIO) { break }
                if data >= 0, case let next = UInt64(data) / window * window, next > position {
                    position = next
                    continue
                }
            }
            let here = position..<min(end, position + part)
            // What cannot be written back so is `sync`'s to write, and what it fails for is `sync`'s to tell.
            if gantry_start_writing(descriptor, here.lowerBound, here.upperBound - here.lowerBound) < 0 { break }
            if let before { try awaitWriting(before) }
            before = here
            position = here.upperBound
        }
        if let before { try awaitWriting(before) }
    }

    /// Pages of a range that wait to be written; negative where the kernel does not tell.
    func dirtyPages(at offset: UInt64, length: UInt64) -> Int64 { gantry_dirty_pages(descriptor, offset, length) }

    /// Waits for what is being written of a range. The kernel tells of a failure once, here or in `sync`: so none runs meanwhile,
    /// and none succeeds later.
    private func awaitWriting(_ range: Range<UInt64>) throws(BlockError) {
        try syncing.betweenFlushes { () throws(BlockError) in
            try checkSynced()
            while true {
                let result = gantry_await_writing(descriptor, range.lowerBound, range.upperBound - range.lowerBound)
                if result == -EINTR { continue }
                // Done, or not done at all: a file system without it, or a file that has just been closed.
                if result >= 0 || [EINVAL, ESPIPE, EBADF].contains(-result) { return }
                syncFailure.store(-result, ordering: .relaxed)
                throw failure("sync_file_range", -result, at: range.lowerBound)
            }
        }
    }
}
