import APITypes
import DatapathControl
import Logging
import PoolDatabase
import StorageMotion

/// What a restarted toolstack does about moves.
extension MotionDriver {
    /// Takes up an undecided move that a restart interrupted. Returns the new disk, or why it has not moved.
    func takeUp(_ found: DiskMotion, _ progress: any TaskProgress) async -> Result<String, any Error> {
        let observed = await observe(found)
        if let again = await begunAgain(found, observed) {
            do {
                return .success(try await run([again], progress: progress).first?.destinationRef ?? "")
            } catch {
                return .failure(error)
            }
        }
        return await recover(found, observed, progress)
    }

    /// The move as it begins again, when no data path knows of it: what was made of its destination is destroyed, which
    /// nobody has ever used. Volumes of third-party drivers are not asked for twice: what a killed driver has made may come
    /// to light later, and must not be taken for the second's.
    private func begunAgain(_ found: DiskMotion, _ observed: DiskMotion.Observation) async -> DiskMotion? {
        if found.phase == .planned { return found.canBeginAgain(observed) ? found : nil }
        guard found.canBeginAgain(observed), !context.isForeign(Ref(found.destinationSR)) else { return nil }
        var motion = found
        do {
            // The killed toolstack's copier may have its file open still.
            try await patiently { try await perform(.destroyDestination, &motion, UnwatchedProgress()) }
            motion.beginAgain { (uuid: Fresh.uuid(), ref: Fresh.ref(VDI.self).opaque) }
            try await store.save(motion)
        } catch {
            context.logger.warning(
                "an interrupted move of a disk cannot begin again and is given up",
                metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            return nil
        }
        context.logger.notice("an interrupted move of a disk begins again", metadata: ["vdi": "\(motion.sourceUUID)"])
        return motion
    }

    /// Finishes a decided move.
    func recover(_ found: DiskMotion) async { _ = await recover(found, await observe(found), UnwatchedProgress()) }

    /// Finishes decided moves, side by side: each may wait seconds for whoever has its image.
    func recover(_ all: [DiskMotion]) async {
        await withDiscardingTaskGroup { group in for motion in all { group.addTask { await recover(motion) } } }
    }

    private func recover(
        _ found: DiskMotion, _ observed: DiskMotion.Observation, _ progress: any TaskProgress
    ) async -> Result<String, any Error> {
        var motion = found
        let effects = motion.recover(observed)
        context.logger.notice(
            "recovering an interrupted move of a disk",
            metadata: ["vdi": "\(motion.sourceUUID)", "phase": "\(motion.phase)", "effects": "\(effects)"])
        do {
            try await store.save(motion)
            for effect in effects.prefix(while: { ![.finishPivot, .destroySource, .forget].contains($0) }) {
                if effect == .preparePivot { try await progress.passPointOfNoReturn() }
                try await perform(effect, &motion, progress)
                if effect == .awaitSynchronised {
                    try await compare(&motion, progress)
                    await context.moves.drop(motion.id)
                }
            }
        } catch {
            context.logger.error(
                "recovering a move has failed", metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            await rollBack(&motion, because: error)
            return .failure(error)
        }
        await complete(effects.filter { [.finishPivot, .destroySource, .forget].contains($0) }, &motion, progress)
        return motion.phase == .abandoned ? .failure(failure(of: motion, progress)) : .success(motion.destinationRef)
    }

    /// Why a move was given up, as its caller is told.
    func failure(of motion: DiskMotion, _ progress: any TaskProgress) -> APIError {
        if let wire = motion.failureWire, let code = wire.first { return APIError(code, Array(wire.dropFirst())) }
        return failed(motion, motion.failure ?? "unknown cause", progress)
    }

    /// Destroys what moves have left in an SR that has just been plugged.
    func destroyRemains(in sr: Ref<SR>) async {
        await recover(store.all().filter { $0.isReleased && $0.remainsSR == sr.opaque })
    }

    /// Holds the new VDI again after a restart, while the old image is still there.
    func holdAgain(_ motion: DiskMotion) async {
        try? await context.database.transaction { tx in try OperationAdmission.enter(Self.hold(motion), in: tx) }
    }

    /// Holds the row that a driver has made of the destination, before it is a disk.
    static func destinationHold(_ motion: DiskMotion) -> OperationAdmission.Admitted {
        OperationAdmission.Admitted(
            entries: [
                OperationClaim.Entry(
                    className: VDI.className, ref: motion.destinationRef, operation: VDIOperations.mirror.rawValue)
            ], key: "OpaqueRef:" + motion.id)
    }

    /// The same after a restart. Without a row there is nothing to hold.
    func holdDestinationAgain(_ motion: DiskMotion) async {
        try? await context.database.transaction { tx in
            try OperationAdmission.enter(Self.destinationHold(motion), in: tx)
        }
    }

    /// What holds the new VDI, and the SR of the old image, from the commit until that image is gone.
    static func hold(_ motion: DiskMotion) -> OperationAdmission.Admitted {
        OperationAdmission.Admitted(
            entries: [
                OperationClaim.Entry(
                    className: VDI.className, ref: motion.destinationRef, operation: VDIOperations.mirror.rawValue),
                OperationClaim.Entry(
                    className: SR.className, ref: motion.sourceSR, operation: StorageOperations.vdiMirror.rawValue),
            ], key: "OpaqueRef:" + motion.id)
    }

    /// What the disk's data path says of the move.
    func observe(_ motion: DiskMotion) async -> DiskMotion.Observation {
        let uuid = motion.phase == .committed ? motion.destinationUUID : motion.sourceUUID
        guard let handle = await context.disks.active(uuid), let status = try? await handle.client.status() else {
            return .absent
        }
        if let mirror = status.mirror, motion.isDestination(path: mirror.destination.path) {
            switch mirror.phase {
            case .copying, .synchronised: return .mirroring
            case .dual: return .dual
            case .undecided: return .undecided(destinationFailed: mirror.failedSide != "source")
            case .broken where mirror.details?.isRetrying == true: return .mirroring
            case .broken: return .broken(mirror.error ?? "unknown cause")
            }
        }
        return motion.isDestination(path: status.image.path) ? .destinationOnly : .sourceOnly
    }
}
