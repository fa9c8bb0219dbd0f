internal import BlockIO

/// The snapshots of an open image. Used with the image's metadata lock held.
final class QCOW2SnapshotList: @unchecked Sendable {
    // @unchecked: guarded by QCOW2Image.metadata.
    private var loaded: QCOW2SnapshotTable?
    /// Views in use, by the id of their snapshot.
    private var views: [[UInt8]: Int] = [:]

    /// The table; read when it is asked for first.
    func table(of image: QCOW2Image) throws(BlockError) -> QCOW2SnapshotTable {
        if let loaded { return loaded }
        let table = try QCOW2SnapshotTable(image.header, image.storage)
        loaded = table
        return table
    }

    func replace(with table: QCOW2SnapshotTable) { loaded = table }

    func beginView(_ id: [UInt8]) { views[id, default: 0] += 1 }
    func endView(_ id: [UInt8]) { views[id, default: 1] -= 1 }
    func isViewed(_ id: [UInt8]) -> Bool { views[id, default: 0] > 0 }
}
