import BlockIO
import Synchronization

/// What a log of changed blocks says that nobody writes any more: a snapshot's.
final class FrozenChanges: Sendable {
    private let log: ChangeLog

    init(_ log: ChangeLog) { self.log = log }

    /// As `ChangedExtentSource`.
    func appendChanges(to extents: inout [ChangedExtent], at offset: UInt64, length: UInt64) {
        let end = offset + length
        var position = offset
        while position < end {
            let isChanged = isChanged(position)
            var stop = position
            repeat {
                stop = min(end, (stop / ChangeLog.block + 1) * ChangeLog.block)
            } while stop < end && self.isChanged(stop) == isChanged
            extents.append(ChangedExtent(offset: position, length: stop - position, isChanged: isChanged))
            position = stop
        }
    }

    /// What lies past the end of the log has changed.
    private func isChanged(_ offset: UInt64) -> Bool {
        let block = offset / ChangeLog.block
        guard offset < log.size, block / 8 < UInt64(log.bitmap.count) else { return true }
        return log.bitmap[Int(block / 8)] >> (block % 8) & 1 == 1
    }
}

extension TrackedImages {
    /// A log that cannot be read says nothing: all has changed then, as without one.
    func freeze(log path: String) {
        guard let log = try? ChangeLogFile.read(path: path) else { return }
        frozen.withLock { $0 = FrozenChanges(log) }
    }
}
