import CoreTypes
import DatapathControl
import StorageMotion

/// What mirrors are told while they run.
extension MotionDriver {
    /// Tells the mirror what is wished of it meanwhile, and what its SRs leave to it.
    func follow(
        _ motion: inout DiskMotion, _ follower: inout MirrorFollower, _ client: DatapathClient,
        _ progress: any TaskProgress
    ) async throws {
        try await take(try await tell(motion, follower, client, progress), &motion, &follower)
    }

    /// What a mirror was told, as far as it heard it.
    struct Told: Sendable {
        var follower: MirrorFollower
        /// Nil: nothing new.
        var wished: MirrorSettings?
        /// Bytes; nil: nobody has asked, or it did not say.
        var compared: UInt64?
    }

    /// Changes no record: who has asked may be gone when it returns.
    func tell(
        _ motion: DiskMotion, _ follower: MirrorFollower, _ client: DatapathClient, _ progress: any TaskProgress
    ) async throws -> Told {
        var told = Told(follower: follower)
        let share = await context.moves.share(of: motion.id, database: context.database)
        guard !Task.isCancelled, let change = told.follower.change(progress.entries, share: share, progress) else {
            return told
        }
        do {
            try await LongRequest.call(
                .mirrorSet(settings: change.told), of: client, cancellation: progress.cancellation)
            told.wished = change.wished
        } catch let failure as DatapathClient.Failure where failure.isUnreachable {
            // The next process is told.
            told.follower.tellAgain()
        } catch let failure as DatapathClient.Failure {
            progress.annotate(["mirror_refused": failure.message])
        }
        return told
    }

    /// So that it holds for the next data path and the next toolstack.
    func take(_ told: Told, _ motion: inout DiskMotion, _ follower: inout MirrorFollower) async throws {
        follower = told.follower
        if let wished = told.wished, motion.wish(wished) { try await store.save(motion) }
    }
}
