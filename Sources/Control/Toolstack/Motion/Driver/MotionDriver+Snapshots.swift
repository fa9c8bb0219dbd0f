import APITypes
import CoreTypes
import DatapathControl
import PoolDatabase
import StorageInterface
import StorageMotion

/// The snapshots that move with a disk. They are made at the destination before the disk is, oldest first, each as a clone
/// of its nearest relative there with what is different written over it: what they share here they share there.
///
/// The sources are only read. The destinations are nobody's until the disk's commit, whose transaction makes them the
/// snapshots; until then a failure, or the next start, takes them away by the motion's record, which names each before it
/// is begun.
extension MotionDriver {
    static func destination(_ snapshot: MovingSnapshot) -> VolumeID {
        VolumeID(
            location: snapshot.destinationLocation, uuid: snapshot.destinationUUID, ref: snapshot.destinationRef)
    }

    func createSnapshots(_ motion: inout DiskMotion, _ share: DiskShares.Share) async throws {
        let progress = share.disk
        let attached = try context.attached(Ref(motion.destinationSR))
        let count = motion.snapshots.count
        for (index, planned) in motion.snapshots.enumerated() {
            if progress.cancellation.isCancelled { throw CancellationError() }
            progress.annotate(["phase": "snapshots", "snapshot": "\(index + 1) of \(count)"])
            try await FailurePoint.pass("before-snapshot-\(index)")
            var snapshot = planned
            snapshot.begin()
            motion.update(snapshot)
            try await store.save(motion)
            do {
                try await create(snapshot, &motion, in: attached)
            } catch let error as StorageError {
                throw ErrorMapping.api(error, sr: attached.ref)
            }
            guard let made = motion.snapshots.first(where: { $0.sourceUUID == planned.sourceUUID }) else { continue }
            try await fill(made, of: &motion, in: attached, share.snapshots[index])
            try await ChangeLogs(context: context).carry(made, of: motion, to: attached)
        }
        if count > 0 { progress.annotate(["snapshot": ""]) }
    }

    private func create(
        _ snapshot: MovingSnapshot, _ motion: inout DiskMotion, in attached: AttachedRepository
    ) async throws {
        let isForeign = attached.manager.info.writesRows
        let wanted = NewVolume(
            uuid: snapshot.destinationUUID, size: snapshot.size, format: ImageFormat(parsing: motion.format),
            nameLabel: isForeign ? motion.mark(of: snapshot) : "")
        let volume: Volume
        do {
            if let base = motion.snapshots.first(where: { $0.sourceUUID == snapshot.base }) {
                volume = try await makeVolume(wanted, onTopOf: base, &motion, in: attached)
            } else {
                volume = try await attached.manager.createVolume(attached.repository, wanted)
            }
        } catch {
            // The driver may have made a row before it failed, which is in the record since then.
            motion = store.all().first { [id = motion.id] in $0.id == id } ?? motion
            throw error
        }
        var made = snapshot
        let ref = isForeign ? try DriverRows.find(volume, of: attached.ref, in: context.database) : nil
        made.place(uuid: volume.uuid, ref: ref?.opaque ?? snapshot.destinationRef, location: volume.location)
        motion.update(made)
        let (label, text, id) = (wanted.nameLabel, try MotionStore.text(motion), motion.id)
        try await context.database.transaction { tx in
            tx.setPrivate(kind: MotionStore.kind, key: id, value: text)
            if let ref { try DriverRows.reserve(ref, label: label, in: tx) }
        }
    }

    /// A clone of a snapshot's destination, grown to the size that is wanted. The snapshot's own image may have another name
    /// afterwards, which is in the motion then.
    func makeVolume(
        _ wanted: NewVolume, onTopOf base: MovingSnapshot, _ motion: inout DiskMotion, in attached: AttachedRepository
    ) async throws(StorageError) -> Volume {
        var copy = wanted
        copy.size = 0
        let derived = try await attached.manager.cloneVolume(attached.repository, Self.destination(base), as: copy)
        var renamed = base
        renamed.rename(to: derived.origin.location)
        motion.update(renamed)
        if derived.volume.virtualSize >= wanted.size { return derived.volume }
        let id = VolumeID(location: derived.volume.location, uuid: derived.volume.uuid)
        return try await attached.manager.resizeVolume(attached.repository, id, size: wanted.size)
    }

    private func fill(
        _ snapshot: MovingSnapshot, of motion: inout DiskMotion, in attached: AttachedRepository,
        _ progress: SnapshotProgress
    ) async throws {
        let volume = Self.destination(snapshot)
        guard context.uses.begin(volume.uuid, writing: true) else {
            throw APIError("VDI_IN_USE", snapshot.sourceRef, "attach")
        }
        defer { context.uses.end(volume.uuid, writing: true) }
        let base = motion.snapshots.first { $0.sourceUUID == snapshot.base }
        let settings = motion.settings ?? MirrorSettings()
        let id = motion.id
        let limits = CopyLimits(settings, bytesPerSecond: motion.bytesPerSecond) { wishes in
            // A wish that cannot be kept holds all the same, and ends with this toolstack.
            guard var kept = store.all().first(where: { $0.id == id }), kept.wish(wishes) else { return }
            try? await store.save(kept)
        } share: {
            await context.moves.share(of: id, database: context.database)
        }
        do {
            let image = try await attached.image(volume, readOnly: false)
            try await CopyInto(context: context).copy(
                Ref(snapshot.sourceRef), base: base.map { Ref($0.sourceRef) } ?? .null, to: image,
                of: (attached.ref, Ref(snapshot.sourceRef)), limits: limits, isVerified: motion.comparesImages,
                progress: progress)
            try await attached.release(volume)
            progress.finish()
        } catch let error as StorageError {
            throw ErrorMapping.api(error, sr: attached.ref)
        }
        // What was wished meanwhile holds for what follows, and for the next toolstack.
        motion.wish(limits.wishes)
    }
}
