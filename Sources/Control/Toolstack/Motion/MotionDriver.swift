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
    /// after it the move is completed whatever happens to the caller.
    func run(_ planned: DiskMotion, progress: any TaskProgress) async throws {
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
            motion.advance(to: .pivoting)
            try await store.save(motion)
            try await perform(.preparePivot, &motion, progress)
            try await perform(.commit, &motion, progress)
        } catch {
            await undo(&motion, because: error)
            throw error
        }
        await complete([.finishPivot, .destroySource, .forget], &motion, progress)
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
            context.logger.error("a recovered move is rolled back", metadata: ["vdi": "\(motion.sourceUUID)", "error": "\(error)"])
            await undo(&motion, because: error)
            return
        }
        await complete(effects.filter { [.finishPivot, .destroySource, .forget].contains($0) }, &motion, progress)
    }

    /// What follows the commit (or a roll-back): a failure is logged and the record kept, so that the next start of the
    /// toolstack tries again.
    private func complete(_ effects: [DiskMotion.Effect], _ motion: inout DiskMotion, _ progress: any TaskProgress) async {
        for effect in effects {
            do {
                try await perform(effect, &motion, progress)
            } catch {
                context.logger.error(
                    "a move is not cleaned up yet; the next start will",
                    metadata: ["vdi": "\(motion.sourceUUID)", "step": "\(effect)", "error": "\(error)"])
                return
            }
        }
        await release(motion.phase == .committed ? motion.destinationUUID : motion.sourceUUID)
    }

    private func undo(_ motion: inout DiskMotion, because error: any Error) async {
        motion.abandon(because: "\(error)")
        try? await store.save(motion)
        await complete([.cancelMirror, .destroyDestination, .forget], &motion, UnwatchedProgress())
    }

    /// Ends the disk's data path when nobody uses it any more.
    private func release(_ uuid: String) async {
        let used = context.database.read { reader -> Bool in
            guard let vdi = reader.find(VDI.self, uuid: uuid) else { return false }
            let ref = vdi.typedRef(VDI.self)
            return !reader.rows(VBD.self) { $0[VBD.vdi] == ref && ($0[VBD.currentlyAttached] || $0[VBD.reserved]) }.isEmpty
        }
        if !used { try? await context.disks.deactivate(uuid) }
    }

    private func perform(
        _ effect: DiskMotion.Effect, _ motion: inout DiskMotion, _ progress: any TaskProgress
    ) async throws {
        FailurePoint.reached("before-\(effect)")
        defer { FailurePoint.reached("after-\(effect)") }
        switch effect {
        case .createDestination: try await createDestination(motion)
        case .startMirror: try await startMirror(motion)
        case .awaitSynchronised: try await awaitSynchronised(motion, progress)
        case .preparePivot:
            _ = try await mapped(motion) { try await source(motion).client.call(.pivotPrepare) }
        case .commit: try await commit(&motion)
        case .finishPivot: try await finishPivot(motion)
        case .destroySource: try await destroySource(motion)
        case .cancelMirror:
            if let handle = await context.disks.active(motion.sourceUUID) {
                if try await handle.client.status().mirror != nil { _ = try await handle.client.call(.mirrorCancel) }
            }
        case .destroyDestination:
            let attached = try context.attached(Ref(motion.destinationSR))
            try await attached.manager.destroyVolume(attached.repository, location: motion.destinationLocation)
            await context.refreshSpace(attached)
        case .forget: try await store.forget(motion)
        }
    }

    // MARK: Effects

    private func createDestination(_ motion: DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        guard let format = ImageFormat(parsing: motion.format) else { throw APIError.internalError("format \(motion.format)") }
        do {
            _ = try await attached.manager.createVolume(
                attached.repository, uuid: motion.destinationUUID, size: motion.size, format: format)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
    }

    /// The data path that serves the source, started when it does not run.
    private func source(_ motion: DiskMotion) async throws -> DatapathHandle {
        let vdi = try context.row(Ref<VDI>(motion.sourceRef))
        return try await context.disks.activate(
            motion.sourceUUID, image: try context.image(of: vdi, readOnly: false))
    }

    private func startMirror(_ motion: DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let image: VolumeImage
        do {
            image = try attached.manager.image(attached.repository, location: motion.destinationLocation)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        _ = try await mapped(motion) {
            try await source(motion).client.call(
                .mirrorStart(
                    destination: ImageSpecification(path: image.path, format: image.format.rawValue),
                    bytesPerSecond: motion.bytesPerSecond))
        }
    }

    private func awaitSynchronised(_ motion: DiskMotion, _ progress: any TaskProgress) async throws {
        while true {
            if progress.cancellation.isCancelled { throw APIError("TASK_CANCELLED", motion.id) }
            let status = try await mapped(motion) { try await source(motion).client.status() }
            guard let mirror = status.mirror else {
                throw APIError("MIRROR_FAILED", motion.sourceRef, "the data path was restarted and the mirror with it")
            }
            report(mirror, to: progress)
            switch mirror.phase {
            case .synchronised, .dual: return
            case .broken:
                let cause = mirror.error ?? "unknown cause"
                if cause.contains("No space left") {
                    throw APIError("SR_BACKEND_FAILURE_44", "", "There is insufficient space: \(cause)", "")
                }
                throw APIError("MIRROR_FAILED", motion.sourceRef, cause)
            case .copying: try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// The pivot's point of no return: one transaction points every VBD to the new VDI, replaces the rows, hands the data
    /// path over and makes the motion `committed`.
    private func commit(_ motion: inout DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.destinationSR))
        let volume: Volume
        do {
            volume = try await attached.manager.stat(attached.repository, location: motion.destinationLocation)
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        var committed = motion
        if committed.phase == .mirroring { committed.advance(to: .pivoting) }
        committed.advance(to: .committed)
        let text = try MotionStore.text(committed)
        let old = Ref<VDI>(motion.sourceRef)
        let new = Ref<VDI>(motion.destinationRef)
        let moved = committed
        try await context.database.transaction { tx in
            guard let source = tx.row(old) else { throw APIError.handleInvalid("VDI", old.opaque) }
            tx.insert(VDI.self, ref: new) { row in VDIRow.fill(&row, movedFrom: source, volume, sr: attached.ref) }
            for vbd in tx.rows(VBD.self, where: { $0[VBD.vdi] == old }) {
                try tx.set(vbd.typedRef(VBD.self), VBD.vdi, new)
            }
            for vm in tx.rows(VM.self, where: { $0[VM.suspendVDI] == old }) {
                try tx.set(vm.typedRef(VM.self), VM.suspendVDI, new)
            }
            tx.delete(old)
            let datapath = tx.privateRecords(kind: DiskActivation.recordKind)[moved.sourceUUID]
            tx.setPrivate(kind: DiskActivation.recordKind, key: moved.sourceUUID, value: nil)
            tx.setPrivate(kind: DiskActivation.recordKind, key: moved.destinationUUID, value: datapath)
            tx.setPrivate(kind: MotionStore.kind, key: moved.id, value: text)
        }
        motion = committed
    }

    /// Tells the data path that the destination has won. A data path that is gone starts with the destination next time.
    private func finishPivot(_ motion: DiskMotion) async throws {
        guard let handle = await context.disks.active(motion.destinationUUID) else { return }
        if try await handle.client.status().mirror != nil { _ = try await handle.client.call(.pivotCommit) }
    }

    private func destroySource(_ motion: DiskMotion) async throws {
        let attached = try context.attached(Ref(motion.sourceSR))
        try await attached.manager.destroyVolume(attached.repository, location: motion.sourceLocation)
        await context.refreshSpace(attached)
        if let destination = try? context.attached(Ref(motion.destinationSR)) { await context.refreshSpace(destination) }
    }

    // MARK: Observation

    private func observe(_ motion: DiskMotion) async -> DiskMotion.Observation {
        let uuid = motion.phase == .committed ? motion.destinationUUID : motion.sourceUUID
        guard let handle = await context.disks.active(uuid), let status = try? await handle.client.status() else {
            return .absent
        }
        if let mirror = status.mirror {
            switch mirror.phase {
            case .copying, .synchronised: return .mirroring
            case .dual: return .dual
            case .broken: return .broken(mirror.error ?? "unknown cause")
            }
        }
        return status.image.path.hasSuffix("/" + motion.destinationLocation) ? .destinationOnly : .sourceOnly
    }

    private func report(_ mirror: MirrorStatus, to progress: any TaskProgress) {
        let total = max(mirror.totalBytes, 1)
        // The last hundredth is for the pivot and the clean-up.
        progress.report(0.99 * min(1, Double(mirror.copiedBytes) / Double(total)))
        progress.annotate([
            "bytes_total": String(mirror.totalBytes), "bytes_copied": String(mirror.copiedBytes),
            "bytes_dirty": String(mirror.dirtyBytes), "bytes_per_second": String(mirror.bytesPerSecond),
            "phase": mirror.phase.rawValue,
        ])
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
