internal import BlockIO
internal import CoreTypes

/// Lazy refcounts (compatible feature 0), and the dirty bit that says that the stored counts may be stale.
///
/// An image with the feature gets the dirty bit, durably, before its first change in a session. From then on flushes
/// leave the refcounts alone; closing writes them and takes the bit away again. After a crash whoever opens the image for
/// writing counts all references anew before anything else. Every other order of writes stays as it is.
extension QCOW2Image {
    /// Before the first change of a session. With the metadata lock held.
    func markDirty(_ pending: QCOW2PendingChanges) throws(BlockError) {
        guard !pending.isDirty, pending.header.version >= 3, pending.header.compatible & 1 != 0 else { return }
        try storeFeatures(pending.header.incompatible.union(.dirty), pending)
        pending.isDirty = true
    }

    /// After everything else was made durable. With the metadata lock held.
    func clearDirty(_ pending: QCOW2PendingChanges) throws(BlockError) {
        guard pending.isDirty else { return }
        try storeFeatures(pending.header.incompatible.subtracting(.dirty), pending)
        pending.isDirty = false
    }

    private func storeFeatures(_ features: QCOW2Features, _ pending: QCOW2PendingChanges) throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(features.rawValue)
        try storage.store(bytes, at: QCOW2Header.Offset.incompatible)
        try storage.sync()
        pending.header.incompatible = features
    }

    /// Counts all references of an image that was not closed cleanly, before it is opened for writing.
    /// - Throws: `.corrupt` when more is wrong than counts can be.
    static func restoreCounts(_ storage: any ImageStorage) throws(BlockError) {
        let report = try check(
            storage: storage, repair: .all, policy: .standalone, cancellation: CancellationFlag())
        guard report.corruptions == 0 else {
            throw BlockError(
                .corrupt,
                "the image was not closed cleanly, and \(report.corruptions) contradictions in it could not be put right",
                path: storage.path)
        }
    }
}
