import BlockIO
import Foundation
import StorageInterface

extension FileRepository {
    /// In SR.sm_config: the format that a raw disk has after a snapshot or clone of it. `raw`: the file system shares blocks.
    /// `qcow2`: the disk and the snapshot are differences to what was the disk's image.
    static let rawSnapshotKey = "raw-snapshot-format"

    /// Whether files of this folder can share blocks, found out with two that go at once. After a kill the next attachment
    /// takes them away, as all that is unfinished.
    func sharesBlocks() throws(StorageError) -> Bool {
        try requireMarked()
        // Another host may look at the same time.
        let names = (0..<2).map { _ in path + "/" + Self.unfinished + UUID().uuidString }
        let length: UInt64 = 65536
        defer { for name in names { unsafe unlink(name) } }
        return try reporting(.repositoryUnavailable) { () throws(BlockError) in
            let source = try ImageFile(path: names[0], access: .create, isUnpublished: true)
            defer { source.close() }
            try source.truncate(to: length)
            let copy = try ImageFile(path: names[1], access: .create, isUnpublished: true)
            defer { copy.close() }
            return try copy.clone(from: source, at: 0, length: length, to: 0)
        }
    }
}
