import BlockIO
import Synchronization

/// The disk's bitmap of changed blocks as an NBD server offers it: what has changed since the last snapshot, or since tracking
/// was enabled. It stays the same object as the disk moves and its logs change; without a log everything has changed.
extension TrackedImages: ChangedExtentSource {
    var name: String { "cbt" }
    var granularity: UInt64 { ChangeLog.block }

    func appendChanges(to extents: inout [ChangedExtent], at offset: UInt64, length: UInt64) throws(BlockError) {
        guard length > 0 else { return }
        if let frozen = frozen.withLock({ $0 }) {
            return frozen.appendChanges(to: &extents, at: offset, length: length)
        }
        guard let tracking, tracking.isWritten else {
            extents.append(ChangedExtent(offset: offset, length: length, isChanged: true))
            return
        }
        tracking.appendChanges(to: &extents, at: offset, length: length)
    }
}
