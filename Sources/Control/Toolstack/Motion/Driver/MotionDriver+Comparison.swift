import DatapathControl
import StorageMotion

/// The comparison of a disk's old image with its new one, without which the old one is not given up.
extension MotionDriver {
    /// Compares both images of a mirror, where that is wished and its data path has not done so since it last copied; and, wished
    /// or not, where a connection to an export was replaced: a server that lives on behind the old one may have done what it
    /// had received of it after what came by the new one.
    ///
    /// Users of the disk go on. A data path that dies meanwhile comes back, its mirror goes on, and it compares from the
    /// beginning. Throws MIRROR_FAILED [vdi] where the images differ; the log says where.
    /// `wasCompared`: they were once; a data path that does not say whether that still counts is believed.
    func compare(
        _ motion: inout DiskMotion, wasCompared: Bool = false, _ progress: any TaskProgress
    ) async throws {
        var wasCompared = wasCompared
        for _ in 0...Self.mostRestarts {
            try await awaitSynchronised(&motion, SilentProgress(progress, progress))
            let status = try await status(motion)
            guard let mirror = status.mirror else { continue }
            if !mirror.mustBeCompared(isWished: motion.comparesImages, wasCompared: wasCompared) { return }
            do {
                try await verify(&motion, size: status.virtualSize, progress)
                if mirror.details?.isCompared == nil { return }
                wasCompared = true
            } catch let failure as DatapathClient.Failure {
                // It has ended, or is not in sync any more: it is waited for.
                guard failure.isUnreachable || ["notFound", "busy", "cancelled"].contains(failure.code) else {
                    let cause = try? await context.disks.active(motion.sourceUUID)?.client.status().mirror?.error
                    throw failed(motion, cause ?? failure.message, progress)
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        throw failed(motion, "both images could not be compared: the mirror is interrupted again and again", progress)
    }

    private func verify(_ motion: inout DiskMotion, size: UInt64, _ progress: any TaskProgress) async throws {
        let client = try await source(motion).client
        let (started, isVerified) = (ContinuousClock.now, motion.comparesImages)
        MotionReport.tell(compared: 0, of: size, since: started, isVerified: isVerified, to: progress)
        var follower = Self.follower(motion, progress)
        try await follow(&motion, &follower, client, progress)
        try await LongRequest.call(.mirrorVerify, of: client, cancellation: progress.cancellation) {
            try await FailurePoint.pass("comparing")
            let (motion, follower) = (motion, follower)
            return {
                var told = try await tell(motion, follower, client, progress)
                told.compared = try? await client.status().mirror?.details?.comparedBytes
                return told
            }
        } seen: { (told: Told) in
            try await take(told, &motion, &follower)
            guard let compared = told.compared else { return }
            MotionReport.tell(compared: compared, of: size, since: started, isVerified: isVerified, to: progress)
        }
        MotionReport.tellCompared(all: size, isVerified: isVerified, to: progress)
    }
}
