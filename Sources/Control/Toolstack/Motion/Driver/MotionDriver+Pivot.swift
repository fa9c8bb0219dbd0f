import DatapathControl
import StorageMotion

extension MotionDriver {
    /// The last look before the transaction that makes the destinations the disks: one that has refused a write since its own
    /// pivot was prepared does not become one, and none of those that move with it; nor one that was lost since unnoticed,
    /// because nobody has written: both images are flushed once more. What was answered before this look is durable in both.
    ///
    /// What a destination refuses after this look it refuses as the disk that it is then: a write that only the source has
    /// was not answered, is tried on the destination again when that is told of the commit, and fails there.
    func assertWhole(_ motions: [DiskMotion]) async throws {
        for motion in motions {
            var observation = await observe(motion)
            if case .dual = observation, let handle = await context.disks.active(motion.sourceUUID) {
                // What it finds shows in what is observed next. One that is gone is decided like any that is.
                _ = try? await handle.client.call(.pivotPrepare)
                observation = await observe(motion)
            }
            if observation.allowsCommit { continue }
            let status = try? await context.disks.active(motion.sourceUUID)?.client.status()
            throw failed(
                motion, status?.mirror?.error ?? "the data path has lost the prepared pivot", UnwatchedProgress())
        }
    }
}
