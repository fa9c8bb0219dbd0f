import APITypes
import CoreTypes
import DatapathControl
import Logging
import PoolDatabase
import StorageInterface
import StorageMotion

/// A full copy of a disk that nobody writes, as a new disk. A data path of its own, which opens the source read-only, does
/// the work by mirroring. The source is never changed; the copy has a row when all of it is durable, and until then a
/// private record (kind `copy`: the volume's uuid → its SR and location) by which the next start removes it.
struct DiskCopy: Sendable {
    static let kind = "copy"
    let context: StorageContext
    /// Only what differs from this disk is copied; null: everything. The rest of the copy reads as zeroes.
    var base: Ref<VDI> = .null

    func run(_ vdi: Ref<VDI>, to destination: AttachedRepository, progress: any TaskProgress) async throws -> Ref<VDI> {
        let source = try context.row(vdi)
        let outcome = try decide(source, vdi, destination)
        let image = try await context.image(of: source, readOnly: true)
        let wanted = NewVolume(
            uuid: Fresh.uuid(), size: outcome.size, format: outcome.format, nameLabel: source[VDI.nameLabel],
            nameDescription: source[VDI.nameDescription], type: source[VDI.type].rawValue)
        try await note(wanted.uuid, destination, location: "\(wanted.uuid).\(outcome.format.rawValue)")
        let volume: Volume
        // A half-filled volume that could not be taken away keeps its record: the next start tries again.
        var isLeft = false
        do {
            volume = try await destination.manager.createVolume(destination.repository, wanted)
            do {
                try await note(wanted.uuid, destination, location: volume.location)
                let target = try await destination.image(
                    VolumeID(location: volume.location, uuid: volume.uuid), readOnly: false)
                if base.isNull {
                    try await copy(image, to: target, vdi, destination.ref, progress)
                } else {
                    try await CopyInto(context: context).copy(
                        vdi, base: base, to: target, of: (destination.ref, vdi), progress: progress)
                }
            } catch {
                do {
                    try await destination.manager.destroyVolume(
                        destination.repository, VolumeID(location: volume.location, uuid: volume.uuid))
                } catch {
                    isLeft = true
                }
                throw error
            }
        } catch {
            if !isLeft {
                try? await context.database.transaction { tx in
                    tx.setPrivate(kind: Self.kind, key: wanted.uuid, value: nil)
                }
            }
            if let error = error as? StorageError { throw ErrorMapping.api(error, sr: destination.ref) }
            throw error
        }
        let finished =
            (try? await destination.manager.stat(
                destination.repository, VolumeID(location: volume.location, uuid: volume.uuid))) ?? volume
        let new = Fresh.ref(VDI.self)
        try await context.database.transaction { tx in
            let row = tx.row(vdi) ?? source
            if let made = tx.find(VDI.self, uuid: finished.uuid) { tx.delete(made.typedRef(VDI.self)) }
            tx.insert(VDI.self, ref: new) { fresh in
                VDIRow.fill(&fresh, movedFrom: row, finished, sr: destination.ref)
                fresh[VDI.isASnapshot] = false
                fresh[VDI.snapshotOf] = .null
                fresh[VDI.snapshotTime] = APIDate(seconds: 0)
                if row[VDI.isASnapshot] { fresh[VDI.readOnly] = false }
            }
            tx.setPrivate(kind: Self.kind, key: wanted.uuid, value: nil)
        }
        return new
    }

    private func decide(
        _ source: Row, _ vdi: Ref<VDI>, _ destination: AttachedRepository
    ) throws(APIError) -> FormatDecision.Outcome {
        do {
            return try FormatDecision.decide(
                choice: "", size: UInt64(clamping: source[VDI.virtualSize]), source: context.format(of: source),
                manager: destination.manager, configuration: destination.repository.deviceConfig)
        } catch {
            throw ErrorMapping.api(
                error, vdi: vdi, srUUID: destination.uuid,
                supported: destination.manager.info.supportedImageFormats.map(\.rawValue))
        }
    }

    private func note(_ uuid: String, _ destination: AttachedRepository, location: String) async throws {
        let sr = destination.ref.opaque
        try await context.database.transaction { tx in
            tx.setPrivate(kind: Self.kind, key: uuid, value: sr + " " + location)
        }
    }

    private func copy(
        _ image: ImageSpecification, to target: ImageSpecification, _ vdi: Ref<VDI>, _ sr: Ref<SR>,
        _ progress: any TaskProgress
    ) async throws {
        let id = Fresh.uuid()
        do {
            let handle = try await context.disks.host.start(id, image: image)
            _ = try await handle.client.call(.mirrorStart(destination: target, bytesPerSecond: 0))
            try await awaitEnd(handle, progress)
            // Both durable.
            _ = try await handle.client.call(.pivotPrepare)
            await context.disks.host.stop(id)
        } catch {
            await context.disks.host.stop(id)
            if let failure = error as? DatapathClient.Failure { throw ErrorMapping.api(failure, sr: sr, vdi: vdi) }
            throw error
        }
    }

    private func awaitEnd(_ handle: DatapathHandle, _ progress: any TaskProgress) async throws {
        while true {
            if progress.cancellation.isCancelled { throw CancellationError() }
            guard let mirror = try await handle.client.status().mirror else {
                throw DatapathClient.Failure(code: "io", message: "the copying process gave up")
            }
            progress.report(0.99 * min(1, Double(mirror.copiedBytes) / Double(max(mirror.totalBytes, 1))))
            switch mirror.phase {
            case .synchronised, .dual: return
            case .broken, .undecided:
                let cause = mirror.error ?? "unknown cause"
                throw DatapathClient.Failure(code: cause.contains("No space left") ? "noSpace" : "io", message: cause)
            case .copying: try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// Removes the copies that a restart cut off. Those on storage that is not there are left to a later start; no scan
    /// takes them for disks.
    static func sweep(_ context: StorageContext) async {
        for (uuid, value) in context.database.privateRecords(kind: kind) {
            let parts = value.split(separator: " ", maxSplits: 1).map(String.init)
            do {
                let sr = Ref<SR>(parts.first ?? "")
                if parts.count == 2, context.database.read({ $0.row(sr) }) != nil {
                    let attached = try context.attached(sr)
                    try await attached.manager.destroyVolume(
                        attached.repository, VolumeID(location: parts[1], uuid: uuid))
                }
                try await context.database.transaction { tx in tx.setPrivate(kind: kind, key: uuid, value: nil) }
            } catch {
                context.logger.warning(
                    "an interrupted copy is left to the next start", metadata: ["vdi": "\(uuid)", "error": "\(error)"])
            }
        }
    }
}
