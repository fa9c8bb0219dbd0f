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
    /// Part of the transaction that makes the copy a disk.
    var whenMade: @Sendable (Ref<VDI>, Transaction) throws -> Void = { _, _ in }

    /// The label of the volume that is being filled, where its driver makes its row: the record leads to it by this.
    private static func mark(_ key: String) -> String { "Gantry copy \(key)" }

    /// Whether a row that a driver has just made is a copy's; its location is in the copy's record then.
    static func claim(label: String, of sr: Ref<SR>, location: String, in tx: Transaction) -> Bool {
        for (key, value) in tx.privateRecords(kind: kind)
        where mark(key) == label && value.hasPrefix(sr.opaque + " ") {
            tx.setPrivate(kind: kind, key: key, value: sr.opaque + " " + location)
            return true
        }
        return false
    }

    func run(_ vdi: Ref<VDI>, to destination: AttachedRepository, progress: any TaskProgress) async throws -> Ref<VDI> {
        let source = try context.row(vdi)
        let outcome = try decide(source, vdi, destination)
        let isForeign = destination.manager.info.writesRows
        let key = Fresh.uuid()
        let wanted = NewVolume(
            uuid: key, size: outcome.size, format: outcome.format,
            nameLabel: isForeign ? Self.mark(key) : source[VDI.nameLabel],
            nameDescription: source[VDI.nameDescription], type: source[VDI.type].rawValue)
        // A foreign driver chooses the location, and the row that it makes tells.
        let location = outcome.format.map { "\(key).\($0.rawValue)" } ?? ""
        try await note(key, destination, location: isForeign ? "" : location)
        do {
            let volume = try await destination.manager.createVolume(destination.repository, wanted)
            try await note(key, destination, location: volume.location)
            FailurePoint.reached("copy-after-create")
            if isForeign {
                try await context.database.transaction { tx in
                    let made = try DriverRows.find(volume, of: destination.ref, in: tx)
                    try DriverRows.reserve(made, label: wanted.nameLabel, in: tx)
                }
            }
            try await fill(volume, from: source, vdi, in: destination, progress)
            FailurePoint.reached("copy-filled")
            return try await finish(volume, source, vdi, key, in: destination)
        } catch {
            // A half-filled volume that cannot be taken away keeps its record: the next start tries again.
            do {
                try await Self.takeAway(key, context)
            } catch {
                context.logger.warning(
                    "a failed copy is left to the next start", metadata: ["vdi": "\(key)", "error": "\(error)"])
            }
            if let error = error as? StorageError { throw ErrorMapping.api(error, sr: destination.ref) }
            throw error
        }
    }

    /// Whoever else comes upon the volume meanwhile neither opens nor releases it.
    private func fill(
        _ volume: Volume, from source: Row, _ vdi: Ref<VDI>, in destination: AttachedRepository,
        _ progress: any TaskProgress
    ) async throws {
        guard context.uses.begin(volume.uuid, writing: true) else {
            throw APIError("VDI_IN_USE", identity(volume).ref, "attach")
        }
        defer { context.uses.end(volume.uuid, writing: true) }
        if base.isNull {
            try await context.reading(source) { image in
                let target = try await destination.image(self.identity(volume), readOnly: false)
                try await self.copy(image, to: target, vdi, destination.ref, progress)
            }
        } else {
            let target = try await destination.image(identity(volume), readOnly: false)
            try await CopyInto(context: context).copy(
                vdi, base: base, to: target, of: (destination.ref, vdi), progress: progress)
        }
        try await destination.release(identity(volume))
    }

    /// With the reference of its row, where a driver has made one.
    private func identity(_ volume: Volume) -> VolumeID {
        let row = context.database.read { $0.find(VDI.self, uuid: volume.uuid) }
        return row.map(StorageContext.volume) ?? VolumeID(location: volume.location, uuid: volume.uuid)
    }

    /// The copy is whole and becomes a disk.
    private func finish(
        _ volume: Volume, _ source: Row, _ vdi: Ref<VDI>, _ key: String, in destination: AttachedRepository
    ) async throws -> Ref<VDI> {
        let isForeign = destination.manager.info.writesRows
        let finished =
            (try? await destination.manager.stat(destination.repository, identity(volume))) ?? volume
        let fresh = Fresh.ref(VDI.self)
        return try await context.database.transaction { tx in
            let row = tx.row(vdi) ?? source
            let new = isForeign ? try DriverRows.find(finished, of: destination.ref, in: tx) : fresh
            if isForeign {
                try DriverRows.inherit(new, from: row, in: tx)
            } else {
                tx.insert(VDI.self, ref: new) { VDIRow.fill(&$0, movedFrom: row, finished, sr: destination.ref) }
            }
            try tx.set(new, VDI.isASnapshot, false)
            try tx.set(new, VDI.snapshotOf, .null)
            try tx.set(new, VDI.snapshotTime, APIDate(seconds: 0))
            if row[VDI.isASnapshot] { try tx.set(new, VDI.readOnly, false) }
            tx.setPrivate(kind: Self.kind, key: key, value: nil)
            try whenMade(new, tx)
            return new
        }
    }

    private func decide(
        _ source: Row, _ vdi: Ref<VDI>, _ destination: AttachedRepository
    ) throws(APIError) -> FormatDecision.Outcome {
        let promised = context.promised(destination.manager).supportedImageFormats
        do {
            return try FormatDecision.decide(
                choice: "", size: UInt64(clamping: source[VDI.virtualSize]), source: context.format(of: source),
                manager: destination.manager, configuration: destination.repository.deviceConfig, promised: promised)
        } catch {
            throw ErrorMapping.api(
                error, vdi: vdi, srUUID: destination.uuid, supported: promised.map(\.rawValue))
        }
    }

    func note(_ uuid: String, _ destination: AttachedRepository, location: String) async throws {
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
            // Both durable. They may have to be compared before, which takes as long as it takes.
            try await LongRequest.call(.pivotPrepare, of: handle.client, cancellation: progress.cancellation)
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
            if try Self.isWhole(mirror) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// False: it is copied yet, or its server is tried again. Throws what it has failed with.
    static func isWhole(_ mirror: MirrorStatus) throws -> Bool {
        switch mirror.phase {
        case .synchronised, .dual: return true
        case .copying: return false
        case .broken where mirror.details?.isRetrying == true: return false
        case .broken, .undecided:
            let cause = mirror.error ?? "unknown cause"
            throw DatapathClient.Failure(code: ErrorMapping.saysFull(cause) ? "noSpace" : "io", message: cause)
        }
    }

    /// Removes the copies that a restart cut off. Those on storage that is not there are left to a later start; no scan
    /// takes them for disks. `foreign`: those of third-party drivers, which can be asked only once the API is served.
    static func sweep(_ context: StorageContext, foreign: Bool = false) async {
        for (key, value) in context.database.privateRecords(kind: kind)
        where context.isForeign(Ref(String(value.prefix { $0 != " " }))) == foreign {
            do {
                try await takeAway(key, context)
            } catch {
                context.logger.warning(
                    "an interrupted copy is left to the next start", metadata: ["vdi": "\(key)", "error": "\(error)"])
            }
        }
    }

    /// Destroys the volume that the record names, if there is one, and then the record.
    static func takeAway(_ key: String, _ context: StorageContext) async throws {
        let value = context.database.privateRecords(kind: kind)[key] ?? ""
        let parts = value.split(separator: " ", maxSplits: 1).map(String.init)
        let sr = Ref<SR>(parts.first ?? "")
        if parts.count == 2, context.database.read({ $0.row(sr) }) != nil {
            let attached = try context.attached(sr)
            let location = parts[1]
            let row = context.database.read { reader in
                reader.rows(VDI.self, where: VDI.sr, is: sr).first { $0[VDI.location] == location }
            }
            // Ours is named by the record's key. That of a driver is no disk before the copy is finished.
            if !attached.manager.info.writesRows {
                try await context.discard(VolumeID(location: location, uuid: key), in: attached)
            } else if let row, !row[VDI.managed] {
                try await context.discard(StorageContext.volume(row), in: attached)
            }
        }
        try await context.database.transaction { tx in tx.setPrivate(kind: kind, key: key, value: nil) }
    }
}
