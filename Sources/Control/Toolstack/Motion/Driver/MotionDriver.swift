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
    var store: MotionStore { MotionStore(database: context.database) }

    init(context: StorageContext) { self.context = context }

    /// Runs planned motions of disks that move together to their end: they are copied side by side, as their SRs allow,
    /// and committed in one transaction. On failure before the commit everything is undone and the first error thrown;
    /// after it the moves are completed whatever happens to the caller. Returns the motions as they were carried out.
    ///
    /// Each disk's source is authoritative until the common commit, and its destination after it. A toolstack that dies
    /// before it takes up each disk by itself: whatever becomes of each, the machine's disks are whole.
    /// `room`: what was decided about it must hold when they are noted. Throws `RoomTaken`, and nothing is noted.
    func run(
        _ planned: [DiskMotion], room: DecidedRoom? = nil, progress: any TaskProgress
    ) async throws -> [DiskMotion] {
        // From here on the moves outlive the toolstack, also while they wait.
        try await store.save(planned, room: room)
        let shares = await DiskShares(planned, of: progress, context)
        var motions = planned
        do {
            try await FailurePoint.pass("planned")
            if progress.cancellation.isCancelled { throw CancellationError() }
            try await awaitRoom(&motions, progress)
            let failure: (any Error)?
            (motions, failure) = await copyAll(motions, shares, progress)
            if let failure { throw failure }
            try await FailurePoint.pass("verified")
            // The first may have waited long for the last. Only when all are ready the pivots begin, one right after the other: a
            // disk whose writes are answered by both images waits for no other one.
            for index in motions.indices {
                try await awaitSynchronised(&motions[index], SilentProgress(shares.disk(index), progress))
                // One whose destination was reached again since, or whose data path was restarted: also where it was compared before.
                try await compare(&motions[index], wasCompared: true, SilentProgress(shares.disk(index), progress))
            }
            try await progress.passPointOfNoReturn()
            progress.annotate(["phase": "pivoting"])
            for index in motions.indices { try await perform(.preparePivot, &motions[index], progress) }
            try await commit(&motions)
        } catch {
            for index in motions.indices {
                if motions[index].phase == .planned {
                    await forget(motions[index])
                } else {
                    await rollBack(&motions[index], because: error)
                }
            }
            throw error
        }
        progress.annotate(["phase": "removing the source"])
        for index in motions.indices {
            await complete([.finishPivot, .destroySource, .forget], &motions[index], progress)
        }
        progress.annotate(["phase": "done"])
        return motions
    }

    /// Brings all to the point where both images of each are the same, and known to be; when one fails the others are stopped.
    private func copyAll(
        _ planned: [DiskMotion], _ shares: DiskShares, _ progress: any TaskProgress
    ) async -> (motions: [DiskMotion], failure: (any Error)?) {
        let watch = Task {
            while !progress.cancellation.isCancelled { try await Task.sleep(for: .milliseconds(50)) }
            shares.shared.cancellation.cancel()
        }
        defer { watch.cancel() }
        return await withTaskGroup(of: (Int, DiskMotion, (any Error)?).self) { tasks in
            for (index, motion) in planned.enumerated() {
                tasks.addTask {
                    var motion = motion
                    do {
                        try await copy(&motion, shares.share(index))
                        return (index, motion, nil)
                    } catch {
                        shares.shared.cancellation.cancel()
                        return (index, motion, error)
                    }
                }
            }
            var (motions, failure): ([DiskMotion], (any Error)?) = (planned, nil)
            for await (index, motion, error) in tasks {
                motions[index] = motion
                // Those that were stopped because of another say nothing of why.
                if let error, failure == nil || failure is CancellationError { failure = error }
            }
            return (motions, failure)
        }
    }

    private func copy(_ motion: inout DiskMotion, _ share: DiskShares.Share) async throws {
        let progress = share.disk
        let turn = try await context.moves.enter(
            Self.places(motion), of: motion.id, called: motion.call?.time, database: context.database,
            progress: progress)
        do {
            motion.advance(to: .created)
            try await store.save(motion)
            try await FailurePoint.pass("before-createDestination")
            try await createSnapshots(&motion, share)
            try await FailurePoint.pass("snapshots-copied")
            try await createDestination(&motion)
            try await FailurePoint.pass("after-createDestination")
            motion.advance(to: .mirroring)
            // What is wished by now holds from the first byte on.
            motion.wish(MirrorWishes.standing(progress.entries))
            try await store.save(motion)
            // What an earlier move may have left to go on from is of another destination, whatever its name.
            try await perform(.startMirror, &motion, progress, isFirst: true)
            try await perform(.awaitSynchronised, &motion, progress)
            try await FailurePoint.pass("in-sync")
            try await compare(&motion, progress)
        } catch {
            await context.moves.leave(turn)
            throw error
        }
        // What is left costs its SRs no more than the guest's own writes.
        await context.moves.leave(turn)
    }

    /// What takes part in the copy, each with a limit of its own.
    static func places(_ motion: DiskMotion) -> Set<String> { [motion.sourceSR, motion.destinationSR] }

    /// A move of which nothing was made is over.
    private func forget(_ motion: DiskMotion) async {
        do {
            try await store.forget(motion)
        } catch {
            context.logger.error(
                "a move that has not begun is left to the next start",
                metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
        }
        // Its last user may have gone while it waited.
        await context.disks.deactivateIfUnused(motion.sourceUUID)
    }

    /// What follows the commit (or a roll-back): a failure is logged and the record kept, and tried again later. When only
    /// the image that lost is left, whatever keeps it from being destroyed, the disk is free.
    func complete(_ effects: [DiskMotion.Effect], _ motion: inout DiskMotion, _ progress: any TaskProgress)
        async
    {
        for effect in effects {
            do {
                try await patiently { try await perform(effect, &motion, progress) }
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

    /// A data path that was killed just now has its images, or seems to answer, until the kernel is done with it.
    func patiently(_ body: () async throws -> Void) async throws {
        for _ in 0..<30 {
            do {
                return try await body()
            } catch let error as StorageError where error.fault == .volumeInUse {
                try await Task.sleep(for: .milliseconds(100))
            } catch let failure as DatapathClient.Failure where failure.isUnreachable {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        try await body()
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

    /// Gives up, in favour of the image that is whole. That is the source, unless it refused a write or flush in the pivot:
    /// then the destination alone has everything, and this disk is moved, whatever becomes of those that move with it.
    func rollBack(_ motion: inout DiskMotion, because error: any Error) async {
        guard [.mirroring, .pivoting].contains(motion.phase),
            case .undecided(destinationFailed: false) = await observe(motion)
        else {
            return await undo(&motion, because: error)
        }
        context.logger.error(
            "a disk's old image has failed in the pivot; the disk goes on with the new one",
            metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
        do {
            try await perform(.commit, &motion, UnwatchedProgress())
        } catch {
            context.logger.error(
                "a failed move is left to the next start",
                metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            return
        }
        await complete([.finishPivot, .destroySource, .forget], &motion, UnwatchedProgress())
    }

    /// Gives up in favour of the source. When that cannot be recorded nothing is touched: the next start decides by what
    /// is on the disk then. After the commit there is nothing to give up.
    func undo(_ motion: inout DiskMotion, because error: any Error) async {
        if motion.phase == .committed { return }
        let task = Ref<XenTask>(motion.call?.task ?? Ref<XenTask>.null.opaque)
        motion.abandon(because: "\(error)", wire: APIError(error, task: task).wire)
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

    func perform(
        _ effect: DiskMotion.Effect, _ motion: inout DiskMotion, _ progress: any TaskProgress, isFirst: Bool = false
    ) async throws {
        // The commit, which is that of several motions, has its own.
        if effect != .commit { try await FailurePoint.pass("before-\(effect)") }
        try await carryOut(effect, &motion, progress, isFirst: isFirst)
        if effect != .commit { try await FailurePoint.pass("after-\(effect)") }
    }

    private func carryOut(
        _ effect: DiskMotion.Effect, _ motion: inout DiskMotion, _ progress: any TaskProgress, isFirst: Bool
    ) async throws {
        switch effect {
        case .startMirror: try await startMirror(&motion, resume: !isFirst)
        case .awaitSynchronised: try await awaitSynchronised(&motion, progress)
        case .preparePivot: try await preparePivot(&motion, progress)
        case .commit:
            var motions = [motion]
            try await commit(&motions)
            motion = motions[0]
        case .finishPivot: try await finishPivot(motion)
        case .destroySource: try await destroySource(motion)
        case .cancelMirror:
            await context.disks.forgetMirror(of: motion.sourceUUID)
            guard let handle = await context.disks.active(motion.sourceUUID) else { return }
            // Only this motion's own mirror: the data path may be mirroring for another. Where there is none, the map of one
            // that was not taken up again is dropped.
            let mirror = try await handle.client.status().mirror
            if let mirror, !motion.isDestination(path: mirror.destination.path) { return }
            do {
                _ = try await handle.client.call(.mirrorCancel)
            } catch let failure as DatapathClient.Failure where mirror == nil && failure.code == "notFound" {
                // Neither mirror nor map.
            }
        case .destroyDestination:
            guard isKnown(Ref(motion.destinationSR), of: motion) else { return }
            let attached = try context.attached(Ref(motion.destinationSR))
            try await context.discard(Self.destination(motion), in: attached)
            for snapshot in motion.snapshots.reversed() where snapshot.isBegun {
                try await context.discard(Self.destination(snapshot), in: attached)
            }
            await context.forgetGoneNodes(attached)
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

    static func destination(_ motion: DiskMotion) -> VolumeID {
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
        do throws(StorageError) {
            if let base = motion.snapshots.first(where: { [base = motion.base] in $0.sourceUUID == base }) {
                volume = try await makeVolume(wanted, onTopOf: base, &motion, in: attached)
                // Noted with the path by which the data path opens it, before it does.
                motion.place(uuid: volume.uuid, ref: motion.destinationRef, location: volume.location)
            } else {
                volume = try await attached.manager.createVolume(attached.repository, wanted)
            }
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
    func source(_ motion: DiskMotion) async throws -> DatapathHandle {
        let vdi = try context.row(Ref<VDI>(motion.sourceRef))
        let image = { @Sendable [context] in try await context.image(of: vdi, readOnly: false) }
        // From the pivot on there is none to wait for: what has ended stays so until the decision.
        if motion.phase == .pivoting { return try await context.disks.activate(motion.sourceUUID, image: image) }
        return try await context.disks.activatePatiently(motion.sourceUUID, image: image)
    }

    /// `resume`: the data path's map of this mirror, if it has one, counts.
    private func startMirror(_ motion: inout DiskMotion, resume: Bool) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let image: ImageSpecification
        do {
            image = try await attached.image(Self.destination(motion), readOnly: false)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        if attached.manager.info.writesRows || motion.base != nil {
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
                    destination: image, bytesPerSecond: moving.bytesPerSecond, settings: moving.settings,
                    resume: resume))
        }
    }

    /// A data path that dies meanwhile comes back, and its mirror goes on from its map: the destination is no disk yet, so
    /// nothing else can have changed it, and the data path notes what the guest writes before the mirror goes on.
    func awaitSynchronised(_ motion: inout DiskMotion, _ progress: any TaskProgress) async throws {
        var follower = Self.follower(motion, progress)
        var meter = WriteMeter()
        var restarts = 0
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            let status = try await status(motion)
            guard let mirror = status.mirror else {
                restarts += 1
                if restarts > Self.mostRestarts {
                    throw failed(motion, "the data path was restarted, and the mirror is gone with it", progress)
                }
                context.logger.warning(
                    "a data path was restarted; its mirror goes on", metadata: ["vdi": "\(motion.sourceUUID)"])
                progress.annotate(["mirror_restarts": String(restarts)])
                try await restartMirror(&motion)
                follower = Self.follower(motion, progress)
                continue
            }
            meter.read(status.counters)
            MotionReport.tell(
                mirror, dirtied: meter.bytesPerSecond, isVerified: motion.comparesImages, to: progress)
            switch mirror.phase {
            case .synchronised, .dual: return
            case .broken where mirror.details?.isRetrying == true, .copying:
                try await FailurePoint.pass("copying")
                // Where none answers any more the next one is told.
                if let client = await context.disks.active(motion.sourceUUID)?.client {
                    try await follow(&motion, &follower, client, progress)
                }
                try await Task.sleep(for: .milliseconds(100))
            case .broken, .undecided: throw failed(motion, mirror.error ?? "unknown cause", progress)
            }
        }
    }

    static let mostRestarts = 10

    static func follower(_ motion: DiskMotion, _ progress: any TaskProgress) -> MirrorFollower {
        MirrorFollower(
            told: motion.settings ?? MirrorSettings(), bytesPerSecond: motion.bytesPerSecond, entries: progress.entries)
    }

    /// Of the data path that answers, which may have no mirror.
    func status(_ motion: DiskMotion) async throws -> DatapathStatus {
        do {
            return try await source(motion).client.status()
        } catch let failure as DatapathClient.Failure where failure.isUnreachable {
            // Killed just now, perhaps; whoever asks again starts the next.
            try await Task.sleep(for: .milliseconds(100))
            return try await mapped(motion) { try await source(motion).client.status() }
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(motion.destinationSR), vdi: Ref(motion.sourceRef))
        }
    }

    private func restartMirror(_ motion: inout DiskMotion) async throws {
        do {
            try await startMirror(&motion, resume: true)
        } catch let error as APIError where error.code == "VDI_IN_USE" || error.code == "OTHER_OPERATION_IN_PROGRESS" {
            // The killed process holds the destination until the kernel is done with it.
            try await Task.sleep(for: .milliseconds(200))
            try await startMirror(&motion, resume: true)
        }
    }

    /// The error for a mirror that failed. A full destination has an error of its own; for the rest the cause is in the
    /// log and in the task's `other_config:mirror_error`.
    func failed(_ motion: DiskMotion, _ cause: String, _ progress: any TaskProgress) -> APIError {
        context.logger.error("a mirror has failed", metadata: ["vdi": "\(motion.sourceUUID)", "cause": "\(cause)"])
        progress.annotate(["mirror_error": cause])
        if ErrorMapping.saysFull(cause) { return ErrorMapping.full(cause) }
        return APIError("MIRROR_FAILED", motion.sourceRef)
    }

    /// The phase is stored first: from here on a data path that dies does not come back before the decision.
    private func preparePivot(_ motion: inout DiskMotion, _ progress: any TaskProgress) async throws {
        if motion.phase == .mirroring {
            motion.advance(to: .pivoting)
            try await store.save(motion)
        }
        try await FailurePoint.pass("preparing")
        let moving = motion
        let status: DatapathStatus
        do {
            _ = try await source(moving).client.call(.pivotPrepare)
            // One side may have refused a write since: the whole one wins.
            status = try await source(moving).client.status()
        } catch let failure as DatapathClient.Failure {
            // The mirror's own cause, where the data path lives. One that has ended does not come back before the decision.
            let cause = try? await context.disks.active(moving.sourceUUID)?.client.status().mirror?.error
            throw failed(moving, cause ?? "the data path cannot pivot: \(failure.message)", progress)
        }
        guard let mirror = status.mirror, mirror.phase == .dual || mirror.failedSide == "source" else {
            throw failed(moving, status.mirror?.error ?? "the data path was restarted", progress)
        }
    }

    /// The pivot's point of no return: one transaction points every VBD to the new VDIs, replaces the rows, hands the data
    /// paths over and makes the motions `committed`.
    private func commit(_ motions: inout [DiskMotion]) async throws {
        try await FailurePoint.pass("before-commit")
        var moved: [MovedDisk] = []
        for motion in motions { moved.append(try await MovedDisk(motion, context)) }
        try await assertWhole(motions)
        try await context.database.transaction { [moved] tx in
            for disk in moved {
                try disk.replaceRows(in: tx)
                // Nobody may move or destroy the new VDI before the old image is gone.
                try OperationAdmission.enter(Self.hold(disk.motion), in: tx)
                let (old, new) = (disk.motion.sourceUUID, disk.motion.destinationUUID)
                let datapath = tx.privateRecords(kind: DiskActivation.recordKind)[old]
                tx.setPrivate(kind: DiskActivation.recordKind, key: old, value: nil)
                tx.setPrivate(kind: DiskActivation.recordKind, key: new, value: datapath)
                tx.setPrivate(kind: MotionStore.kind, key: disk.motion.id, value: disk.text)
            }
        }
        motions = moved.map(\.motion)
        await FailurePoint.wait("after-commit")
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
        let logs = ChangeLogs(context: context)
        try await logs.repoint(from: motion.sourceUUID, to: motion.destinationUUID)
        for snapshot in motion.snapshots {
            try await logs.repoint(from: snapshot.sourceUUID, to: snapshot.destinationUUID)
        }
        guard isKnown(Ref(motion.sourceSR), of: motion) else { return }
        let attached = try context.attached(Ref(motion.sourceSR))
        try await context.discard(
            VolumeID(location: motion.sourceLocation, uuid: motion.sourceUUID, ref: motion.sourceRef), in: attached)
        for snapshot in motion.snapshots.reversed() {
            try await context.discard(
                VolumeID(location: snapshot.sourceLocation, uuid: snapshot.sourceUUID, ref: snapshot.sourceRef),
                in: attached)
        }
        await context.forgetGoneNodes(attached)
        await context.refreshSpace(attached)
        if let destination = try? context.attached(Ref(motion.destinationSR)) {
            if !motion.snapshots.isEmpty {
                // The hidden volumes that the disk and its snapshots share have no rows yet.
                let disks = [motion.destinationRef] + motion.snapshots.map(\.destinationRef)
                await context.refreshChains(of: disks.map { Ref($0) }, in: destination)
            }
            await context.refreshSpace(destination)
        }
    }

    private func mapped<T: Sendable>(_ motion: DiskMotion, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let failure as DatapathClient.Failure {
            throw ErrorMapping.api(failure, sr: Ref(motion.destinationSR), vdi: Ref(motion.sourceRef))
        }
    }
}
