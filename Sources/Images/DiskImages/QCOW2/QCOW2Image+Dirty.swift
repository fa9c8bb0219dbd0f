internal import BlockIO
internal import CoreTypes

/// Lazy refcounts (compatible feature 0), and the dirty bit that says that the stored counts may be stale. Changes of
/// snapshots set it too, with or without the feature.
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
        guard pending.header.incompatible.contains(.dirty) else { return }
        try storeFeatures(pending.header.incompatible.subtracting(.dirty), pending)
        pending.isDirty = false
    }

    /// Runs `body`, which changes counts and copied bits of whole trees, with the dirty bit set where the version has
    /// one. Between two of its barriers counts may be too high, or copied bits clear where the count is 1; nothing is
    /// at risk then, but a check finds fault with it. With the bit the next who opens the image for writing puts it
    /// right.
    ///
    /// The bit is durable before the first change, and goes when the last one is durable. With the metadata lock held.
    func whileDirty<T>(
        _ refcounts: QCOW2Refcounts, _ body: () throws(BlockError) -> T
    ) throws(BlockError) -> T {
        guard let pending else { return try body() }
        // A session with lazy refcounts has set it.
        let marks = pending.header.version >= 3 && !pending.isDirty
        if marks { try storeFeatures(pending.header.incompatible.union(.dirty), pending) }
        let result: T
        do throws(BlockError) {
            result = try body()
        } catch {
            do throws(BlockError) {
                try settleCounts(refcounts)
                if marks { try clearDirty(pending) }
            } catch {
                // The first error says more. The bit stays until this has succeeded, at the latest for the next who
                // opens the image.
                pending.mustSettle = true
            }
            throw error
        }
        guard marks, !pending.mustSettle else { return result }
        // The change is done and durable. When only the write of the bit fails, closing does it again, or the next who
        // opens the image; a barrier that fails is told, because other writes may be lost with it.
        let clean = pending.header.incompatible.subtracting(.dirty)
        do throws(BlockError) { try writeFeatures(clean) } catch { return result }
        try storage.sync()
        pending.header.incompatible = clean
        return result
    }

    /// After a change of trees that failed: wherever it stopped, the counts in memory are as high as the references or
    /// higher, and the copied bits follow from them.
    func settleCounts(_ refcounts: QCOW2Refcounts) throws(BlockError) {
        if let failure = refcounts.failure { throw failure }
        try writeCounts(refcounts)
        try recomputeCopied(refcounts)
        pending?.mustSettle = false
    }

    private func storeFeatures(_ features: QCOW2Features, _ pending: QCOW2PendingChanges) throws(BlockError) {
        try writeFeatures(features)
        try storage.sync()
        pending.header.incompatible = features
    }

    private func writeFeatures(_ features: QCOW2Features) throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(features.rawValue)
        try storage.store(bytes, at: QCOW2Header.Offset.incompatible)
    }

    /// Counts all references of an image that was not closed cleanly, before it is opened for writing. When this is cut
    /// short, the dirty bit is still there and the next one does it again.
    ///
    /// Nothing else is put right here, unasked: an entry that names no place in the file would read as zeroes for ever
    /// where it is an error now, and the end of a file that was cut short may still be found.
    /// - Throws: `.corrupt`, with nothing changed, when more is wrong than counts and copied bits can be.
    static func restoreCounts(_ storage: any ImageStorage) throws(BlockError) {
        let cancellation = CancellationFlag()
        let checker = try QCOW2Checker(storage: storage, cancellation: cancellation)
        try checker.run()
        guard checker.otherCorruptions == 0 else {
            throw BlockError(
                .corrupt,
                "the image was not closed cleanly, and has \(checker.otherCorruptions) contradictions beside stale "
                    + "refcounts; it is not written before they are repaired ('gantry image check -f qcow2 -r all'), which "
                    + "may give up what the damaged entries name", path: storage.path)
        }
        let report = try QCOW2Repair(storage: storage, choice: .all, cancellation: cancellation).run(checker)
        guard report.corruptions == 0 else {
            throw BlockError(
                .corrupt,
                "the image was not closed cleanly, and \(report.corruptions) of its refcounts could not be put right",
                path: storage.path)
        }
    }
}
