import APITypes
import CoreTypes
import DatapathControl
import Foundation
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// Carries out a `DiskMotion`: stores each phase before its effect, asks the data path, the drivers and the database.
/// Used by `VDI.pool_migrate` and, after a restart, by recovery.
struct MotionDriver: Sendable {
    let context: StorageContext
    private var store: MotionStore { MotionStore(database: context.database) }

    init(context: StorageContext) { self.context = context }

    /// Runs a planned motion to its end. On failure before the commit everything is undone and the first error thrown;
    /// after it the move is completed whatever happens to the caller. Returns the motion as it was carried out.
    func run(_ planned: DiskMotion, progress: any TaskProgress) async throws -> DiskMotion {
        var motion = planned
        do {
            motion.advance(to: .created)
            try await store.save(motion)
            try await perform(.createDestination, &motion, progress)
            motion.advance(to: .mirroring)
            try await store.save(motion)
            for effect in [DiskMotion.Effect.startMirror, .awaitSynchronised] {
                try await perform(effect, &motion, progress)
            }
            try await perform(.preparePivot, &motion, progress)
            try await perform(.commit, &motion, progress)
        } catch {
            await undo(&motion, because: error)
            throw error
        }
        await complete([.finishPivot, .destroySource, .forget], &motion, progress)
        return motion
    }

    /// Takes up what a restart interrupted.
    func recover(_ found: DiskMotion) async {
        var motion = found
        let effects = motion.recover(await observe(motion))
        context.logger.notice(
            "recovering an interrupted move of a disk",
            metadata: ["vdi": "\(motion.sourceUUID)", "phase": "\(motion.phase)", "effects": "\(effects)"])
        let progress = UnwatchedProgress()
        do {
            try await store.save(motion)
            for effect in effects.prefix(while: { ![.finishPivot, .destroySource, .forget].contains($0) }) {
                try await perform(effect, &motion, progress)
            }
        } catch {
            context.logger.error(
                "recovering a move has failed", metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            await undo(&motion, because: error)
            return
        }
        await complete(effects.filter { [.finishPivot, .destroySource, .forget].contains($0) }, &motion, progress)
    }

    /// Destroys what moves have left in an SR that has just been plugged.
    func destroyRemains(in sr: Ref<SR>) async {
        for motion in store.all() where motion.isReleased && motion.remainsSR == sr.opaque { await recover(motion) }
    }

    /// What follows the commit (or a roll-back): a failure is logged and the record kept, and tried again later. When only
    /// the image that lost is left, whatever keeps it from being destroyed, the disk is free.
    private func complete(_ effects: [DiskMotion.Effect], _ motion: inout DiskMotion, _ progress: any TaskProgress)
        async
    {
        for effect in effects {
            do {
                try await perform(effect, &motion, progress)
            } catch {
                context.logger.error(
                    "a move is not cleaned up yet; it is tried again",
                    metadata: [
                        "vdi": "\(motion.sourceUUID)", "step": "\(effect)", "sr": "\(motion.remainsSR)",
                        "error": "\(error)",
                    ])
                guard [.destroySource, .destroyDestination, .forget].contains(effect), await release(&motion) else {
                    return
                }
                break
            }
        }
        if motion.phase == .committed {
            await OperationAdmission(database: context.database).end(Self.hold(motion))
            await context.disks.deactivateIfUnused(motion.destinationUUID)
        } else {
            await context.disks.deactivateIfUnused(motion.sourceUUID)
        }
    }

    /// Whether it is noted durably that only an image is left to be destroyed.
    private func release(_ motion: inout DiskMotion) async -> Bool {
        if motion.isReleased { return true }
        var released = motion
        released.release()
        do {
            try await store.save(released)
        } catch {
            context.logger.error(
                "a move cannot be noted as over", metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            return false
        }
        motion = released
        return true
    }

    /// Gives up in favour of the source. When that cannot be recorded nothing is touched: the next start decides by what
    /// is on the disk then. After the commit there is nothing to give up.
    private func undo(_ motion: inout DiskMotion, because error: any Error) async {
        if motion.phase == .committed { return }
        motion.abandon(because: "\(error)")
        do {
            try await store.save(motion)
        } catch {
            context.logger.error(
                "a failed move is left to the next start",
                metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            return
        }
        await complete([.cancelMirror, .destroyDestination, .forget], &motion, UnwatchedProgress())
    }

    /// Holds the new VDI again after a restart, while the old image is still there.
    func holdAgain(_ motion: DiskMotion) async {
        try? await context.database.transaction { tx in try OperationAdmission.enter(Self.hold(motion), in: tx) }
    }

    /// Holds the row that a driver has made of the destination, before it is a disk.
    private static func destinationHold(_ motion: DiskMotion) -> OperationAdmission.Admitted {
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
    private static func hold(_ motion: DiskMotion) -> OperationAdmission.Admitted {
        OperationAdmission.Admitted(
            entries: [
                OperationClaim.Entry(
                    className: VDI.className, ref: motion.destinationRef, operation: VDIOperations.mirror.rawValue),
                OperationClaim.Entry(
                    className: SR.className, ref: motion.sourceSR, operation: StorageOperations.vdiMirror.rawValue),
            ], key: "OpaqueRef:" + motion.id)
    }

    private func perform(
        _ effect: DiskMotion.Effect, _ motion: inout DiskMotion, _ progress: any TaskProgress
    ) async throws {
        FailurePoint.reached("before-\(effect)")
        defer { FailurePoint.reached("after-\(effect)") }
        switch effect {
        case .createDestination: try await createDestination(&motion)
        case .startMirror: try await startMirror(&motion)
        case .awaitSynchronised: try await awaitSynchronised(&motion, progress)
        case .preparePivot: try await preparePivot(&motion)
        case .commit: try await commit(&motion)
        case .finishPivot: try await finishPivot(motion)
        case .destroySource: try await destroySource(motion)
        case .cancelMirror:
            // Only this motion's own mirror: the data path may be mirroring for another.
            if let handle = await context.disks.active(motion.sourceUUID),
                let mirror = try await handle.client.status().mirror,
                motion.isDestination(path: mirror.destination.path)
            {
                _ = try await handle.client.call(.mirrorCancel)
            }
        case .destroyDestination:
            guard isKnown(Ref(motion.destinationSR), of: motion) else { return }
            let attached = try context.attached(Ref(motion.destinationSR))
            try await context.discard(Self.destination(motion), in: attached)
            await context.refreshSpace(attached)
        case .forget: try await store.forget(motion)
        }
    }

    /// An SR that was forgotten takes what is left in it with it: nobody could ever destroy that.
    private func isKnown(_ sr: Ref<SR>, of motion: DiskMotion) -> Bool {
        if context.database.read({ $0.row(sr) }) != nil { return true }
        context.logger.warning(
            "the SR of an image that a move has left was forgotten, with the image",
            metadata: ["vdi": "\(motion.sourceUUID)", "sr": "\(sr.opaque)"])
        return false
    }

    // MARK: Effects

    private static func destination(_ motion: DiskMotion) -> VolumeID {
        VolumeID(location: motion.destinationLocation, uuid: motion.destinationUUID, ref: motion.destinationRef)
    }

    private func createDestination(_ motion: inout DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let isForeign = attached.manager.info.writesRows
        let format = ImageFormat(parsing: motion.format)
        guard format != nil || isForeign else { throw APIError.internalError("format \(motion.format)") }
        let wanted = NewVolume(
            uuid: motion.destinationUUID, size: motion.size, format: format, nameLabel: isForeign ? motion.mark : "")
        let volume: Volume
        do {
            volume = try await attached.manager.createVolume(attached.repository, wanted)
        } catch {
            // The driver may have made a row before it failed, which is in the record since then.
            motion = store.all().first { [id = motion.id] in $0.id == id } ?? motion
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        if isForeign { try await place(&motion, at: volume, in: attached) }
        // Empty as yet: the data path fills it when it starts the mirror.
        if try context.row(Ref<VDI>(motion.sourceRef))[VDI.cbtEnabled] {
            do {
                try await attached.manager.enableChangeTracking(attached.repository, Self.destination(motion))
            } catch {
                throw ErrorMapping.api(error, sr: attached.ref)
            }
        }
    }

    /// The driver has chosen uuid and location and made the row: it is the move's own, and no disk, until the commit.
    private func place(_ motion: inout DiskMotion, at volume: Volume, in attached: AttachedRepository) async throws {
        let row = try DriverRows.find(volume, of: attached.ref, in: context.database)
        motion.place(uuid: volume.uuid, ref: row.opaque, location: volume.location)
        let placed = motion
        let text = try MotionStore.text(placed)
        try await context.database.transaction { tx in
            tx.setPrivate(kind: MotionStore.kind, key: placed.id, value: text)
            try DriverRows.reserve(row, label: placed.mark, in: tx)
            try OperationAdmission.enter(Self.destinationHold(placed), in: tx)
        }
    }

    /// The data path that serves the source, started when it does not run.
    private func source(_ motion: DiskMotion) async throws -> DatapathHandle {
        let vdi = try context.row(Ref<VDI>(motion.sourceRef))
        let image = { @Sendable [context] in try await context.image(of: vdi, readOnly: false) }
        // Its last user's data path may be ending just now, and holds the image until it has.
        for _ in 0..<50 {
            do {
                return try await context.disks.activate(motion.sourceUUID, image: image)
            } catch let failure as DatapathClient.Failure where failure.code == "busy" && motion.phase != .pivoting {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return try await context.disks.activate(motion.sourceUUID, image: image)
    }

    private func startMirror(_ motion: inout DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let image: ImageSpecification
        do {
            image = try await attached.image(Self.destination(motion), readOnly: false)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        if attached.manager.info.writesRows {
            motion.reach(path: image.path)
            try await store.save(motion)
        }
        let moving = motion
        _ = try await mapped(moving) {
            let handle = try await source(moving)
            // What a driver hands out is its word alone: a disk that is mirrored onto itself would be spoilt.
            if try await handle.client.status().image.path == image.path {
                throw APIError(
                    "SR_BACKEND_FAILURE_46", "", "the storage driver serves two disks at one place, \(image.path)", "")
            }
            return try await handle.client.call(
                .mirrorStart(
                    destination: image, bytesPerSecond: moving.bytesPerSecond, settings: moving.settings, resume: true))
        }
    }

    /// A data path that dies meanwhile comes back, and its mirror goes on from its map: the destination is no disk yet, so
    /// nothing else can have changed it, and the data path notes what the guest writes before the mirror goes on.
    private func awaitSynchronised(_ motion: inout DiskMotion, _ progress: any TaskProgress) async throws {
        var follower = MirrorFollower(told: motion.settings ?? MirrorSettings())
        var restarts = 0
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            guard let mirror = try await mirrorStatus(motion) else {
                restarts += 1
                if restarts > Self.mostRestarts {
                    throw failed(motion, "the data path was restarted, and the mirror is gone with it", progress)
                }
                context.logger.warning(
                    "a data path was restarted; its mirror goes on", metadata: ["vdi": "\(motion.sourceUUID)"])
                progress.annotate(["mirror_restarts": String(restarts)])
                try await restartMirror(&motion)
                follower = MirrorFollower(told: motion.settings ?? MirrorSettings())
                continue
            }
            report(mirror, to: progress)
            switch mirror.phase {
            case .synchronised, .dual: return
            case .broken where mirror.details?.isRetrying == true, .copying:
                if let change = follower.change(progress.entries, progress) {
                    do {
                        _ = try await source(motion).client.call(.mirrorSet(settings: change))
                    } catch let failure as DatapathClient.Failure where failure.isUnreachable {
                        // The next process is told.
                        follower.tellAgain()
                    } catch let failure as DatapathClient.Failure {
                        progress.annotate(["mirror_refused": failure.message])
                    }
                }
                try await Task.sleep(for: .milliseconds(100))
            case .broken, .undecided: throw failed(motion, mirror.error ?? "unknown cause", progress)
            }
        }
    }

    private static let mostRestarts = 10

    /// Nil when the data path that answers has no mirror.
    private func mirrorStatus(_ motion: DiskMotion) async throws -> MirrorStatus? {
        do {
            return try await source(motion).client.status().mirror
        } catch let failure as DatapathClient.Failure where failure.isUnreachable {
            // Killed just now, perhaps; whoever asks again starts the next.
            try await Task.sleep(for: .milliseconds(100))
            return try await mapped(motion) { try await source(motion).client.status().mirror }
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(motion.destinationSR), vdi: Ref(motion.sourceRef))
        }
    }

    private func restartMirror(_ motion: inout DiskMotion) async throws {
        do {
            try await startMirror(&motion)
        } catch let error as APIError where error.code == "VDI_IN_USE" || error.code == "OTHER_OPERATION_IN_PROGRESS" {
            // The killed process holds the destination until the kernel is done with it.
            try await Task.sleep(for: .milliseconds(200))
            try await startMirror(&motion)
        }
    }

    /// The error for a mirror that failed. A full destination has an error of its own; for the rest the cause is in the
    /// log and in the task's `other_config:mirror_error`.
    private func failed(_ motion: DiskMotion, _ cause: String, _ progress: any TaskProgress) -> APIError {
        context.logger.error("a mirror has failed", metadata: ["vdi": "\(motion.sourceUUID)", "cause": "\(cause)"])
        progress.annotate(["mirror_error": cause])
        if cause.contains("No space left") {
            return APIError("SR_BACKEND_FAILURE_44", "", "There is insufficient space: \(cause)", "")
        }
        return APIError("MIRROR_FAILED", motion.sourceRef)
    }

    /// The phase is stored first: from here on a data path that dies does not come back before the decision.
    private func preparePivot(_ motion: inout DiskMotion) async throws {
        if motion.isVerified == true {
            let verified = motion
            _ = try await mapped(verified) { try await source(verified).client.call(.mirrorVerify) }
        }
        if motion.phase == .mirroring {
            motion.advance(to: .pivoting)
            try await store.save(motion)
        }
        let moving = motion
        _ = try await mapped(moving) { try await source(moving).client.call(.pivotPrepare) }
        // One side may have refused a write since: the whole one wins.
        let status = try await mapped(moving) { try await source(moving).client.status() }
        guard let mirror = status.mirror, mirror.phase == .dual || mirror.failedSide == "source" else {
            throw failed(moving, status.mirror?.error ?? "the data path was restarted", UnwatchedProgress())
        }
    }

    /// The pivot's point of no return: one transaction points every VBD to the new VDI, replaces the rows, hands the data
    /// path over and makes the motion `committed`.
    private func commit(_ motion: inout DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let volume: Volume
        do {
            volume = try await attached.manager.stat(attached.repository, Self.destination(motion))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        var committed = motion
        // Recovery may find the pivot prepared before its phase was stored.
        if committed.phase == .mirroring { committed.advance(to: .pivoting) }
        committed.advance(to: .committed)
        let text = try MotionStore.text(committed)
        let old = Ref<VDI>(motion.sourceRef)
        let new = Ref<VDI>(motion.destinationRef)
        let moved = committed
        let sourceIsForeign = context.isForeign(Ref(motion.sourceSR))
        try await context.database.transaction { tx in
            guard let source = tx.row(old) else { throw APIError.handleInvalid("VDI", old.opaque) }
            if attached.manager.info.writesRows {
                try DriverRows.inherit(new, from: source, in: tx)
            } else {
                tx.insert(VDI.self, ref: new) { row in VDIRow.fill(&row, movedFrom: source, volume, sr: attached.ref) }
            }
            for vbd in tx.rows(VBD.self, where: { $0[VBD.vdi] == old }) {
                try tx.set(vbd.typedRef(VBD.self), VBD.vdi, new)
            }
            for vm in tx.rows(VM.self, where: { $0[VM.suspendVDI] == old }) {
                try tx.set(vm.typedRef(VM.self), VM.suspendVDI, new)
            }
            for snapshot in tx.rows(VDI.self, where: { $0[VDI.snapshotOf] == old }) {
                try tx.set(snapshot.typedRef(VDI.self), VDI.snapshotOf, new)
            }
            // A driver deletes what has a row, and takes the row away itself.
            if sourceIsForeign { try DriverRows.retire(old, in: tx) } else { tx.delete(old) }
            // Nobody may move or destroy the new VDI before the old image is gone.
            try OperationAdmission.enter(Self.hold(moved), in: tx)
            let datapath = tx.privateRecords(kind: DiskActivation.recordKind)[moved.sourceUUID]
            tx.setPrivate(kind: DiskActivation.recordKind, key: moved.sourceUUID, value: nil)
            tx.setPrivate(kind: DiskActivation.recordKind, key: moved.destinationUUID, value: datapath)
            tx.setPrivate(kind: MotionStore.kind, key: moved.id, value: text)
        }
        motion = committed
    }

    /// Tells the data path that the destination has won, and makes sure of it: one that stands on anything else is ended
    /// and comes back on the destination when it is needed. One that is gone already does so by itself.
    private func finishPivot(_ motion: DiskMotion) async throws {
        guard let handle = await context.disks.active(motion.destinationUUID) else { return }
        if let mirror = try await handle.client.status().mirror, motion.isDestination(path: mirror.destination.path) {
            _ = try await handle.client.call(.pivotCommit)
        }
        let status = try await handle.client.status()
        if !motion.isDestination(path: status.image.path) {
            context.logger.error(
                "a data path does not stand on its new image and is restarted", metadata: ["id": "\(handle.id)"])
            await context.disks.host.stop(handle.id, forGood: false)
        }
    }

    private func destroySource(_ motion: DiskMotion) async throws {
        try await ChangeLogs(context: context).repoint(from: motion.sourceUUID, to: motion.destinationUUID)
        guard isKnown(Ref(motion.sourceSR), of: motion) else { return }
        let attached = try context.attached(Ref(motion.sourceSR))
        try await context.discard(
            VolumeID(location: motion.sourceLocation, uuid: motion.sourceUUID, ref: motion.sourceRef), in: attached)
        await context.forgetGoneNodes(attached)
        await context.refreshSpace(attached)
        if let destination = try? context.attached(Ref(motion.destinationSR)) {
            await context.refreshSpace(destination)
        }
    }

    // MARK: Observation

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

    private func report(_ mirror: MirrorStatus, to progress: any TaskProgress) {
        let total = max(mirror.totalBytes, 1)
        // The last hundredth is for the pivot and the clean-up.
        progress.report(0.99 * min(1, Double(mirror.copiedBytes) / Double(total)))
        progress.annotate(mirror.notes)
    }

    private func mapped<T: Sendable>(_ motion: DiskMotion, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(motion.destinationSR), vdi: Ref(motion.sourceRef))
        }
    }
}

/// For work that no task stands for.
struct UnwatchedProgress: TaskProgress {
    let cancellation = CancellationFlag()
    func report(_ fraction: Double) {}
    func annotate(_ entries: [String: String]) {}
}
