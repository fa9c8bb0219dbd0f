import APITypes
import Logging
import PoolDatabase
import StorageInterface

/// VDI.snapshot, clone, revert and copy.
struct SnapshotMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.snapshot") { call, arguments in
            .ref(
                try await derive(.snapshot, arguments.get(0), driverParams: arguments.get(1), task: call.task).opaque)
        }
        table.on("VDI.clone") { call, arguments in
            .ref(try await derive(.clone, arguments.get(0), driverParams: arguments.get(1), task: call.task).opaque)
        }
        table.on("VDI.revert") { call, arguments in
            try await revert(to: arguments.get(0), task: call.task)
            return .void
        }
        table.on("VDI.copy", cancellable: true) { call, arguments in
            .ref(
                try await copy(
                    arguments.get(0), to: arguments.get(1), base: arguments.get(2), into: arguments.get(3), call: call
                ).opaque)
        }
    }

    private enum Kind {
        case snapshot, clone
    }

    /// A snapshot or clone. A running guest's data path is paused for the moment that it takes. The new row, the hidden
    /// volume's and what became of the disk's own image are one transaction.
    private func derive(
        _ kind: Kind, _ vdi: Ref<VDI>, driverParams: [String: String], task: Ref<XenTask>
    ) async throws -> Ref<VDI> {
        let new = Fresh.ref(VDI.self)
        let uuid = Fresh.uuid()
        context.volumesBeingMade.insert(uuid)
        defer { context.volumesBeingMade.remove(uuid) }
        let (made, attached) = try await admission.run(
            [.vdi(vdi, kind == .snapshot ? .snapshot : .clone)], task: task
        ) {
            let row = try context.row(vdi)
            let attached = try context.attached(row[VDI.sr])
            let wanted = NewVolume(
                uuid: uuid, format: context.format(of: row), nameLabel: row[VDI.nameLabel],
                nameDescription: row[VDI.nameDescription], type: row[VDI.type].rawValue, smConfig: driverParams)
            let note = VolumeDerivation(
                isSnapshot: kind == .snapshot, ref: new.opaque, origin: vdi.opaque, repository: attached.ref.opaque,
                time: WallClock.seconds)
            if !attached.manager.info.writesRows {
                try await context.database.transaction { tx in try note.begin(uuid, in: tx) }
            }
            let derived: DerivedVolume
            do {
                derived = try await PausedDisk(context: context).working(on: row) {
                    let volume = StorageContext.volume(row)
                    return kind == .snapshot
                        ? try await attached.manager.snapshotVolume(attached.repository, volume, as: wanted)
                        : try await attached.manager.cloneVolume(attached.repository, volume, as: wanted)
                }
            } catch {
                // The disk may stand on a new base all the same. The note stays: should the new volume be there, too, a scan
                // knows it, and forgets the note otherwise.
                await context.refreshChains(of: [vdi], in: attached)
                guard let error = error as? StorageError else { throw error }
                throw Self.mapped(error, attached, vdi, kind == .snapshot ? "snapshot" : "clone")
            }
            FailurePoint.reached("after-snapshot")
            do {
                let made = try await record(derived, uuid, of: vdi, note, kind, in: attached)
                return (made, attached)
            } catch {
                // The disk itself is whole, whatever its row says of its place: the driver finds it.
                try? await context.discard(
                    VolumeID(location: derived.volume.location, uuid: derived.volume.uuid), in: attached)
                throw error
            }
        }
        await context.refreshSpace(attached)
        return made
    }

    private func record(
        _ derived: DerivedVolume, _ uuid: String, of vdi: Ref<VDI>, _ note: VolumeDerivation, _ kind: Kind,
        in attached: AttachedRepository
    ) async throws -> Ref<VDI> {
        try await context.database.transaction { tx in
            let origin = try tx.require(vdi)
            if attached.manager.info.writesRows {
                // The driver has made the row, and said in both what it knows.
                let made = try DriverRows.find(derived.volume, of: attached.ref, in: tx)
                try DriverRows.inherit(made, from: origin, in: tx)
                try tx.set(made, VDI.sharable, false)
                try tx.set(made, VDI.isASnapshot, kind == .snapshot)
                try tx.set(made, VDI.readOnly, kind == .snapshot)
                try tx.set(made, VDI.snapshotOf, kind == .snapshot ? vdi : .null)
                try tx.set(made, VDI.snapshotTime, APIDate(seconds: kind == .snapshot ? note.time : 0))
                try tx.set(made, VDI.onBoot, .persist)
                return made
            }
            try VDIRow.refresh(vdi, derived.origin, in: tx)
            if let base = derived.base, tx.find(VDI.self, uuid: base.uuid) == nil {
                tx.insert(VDI.self, ref: Fresh.ref(VDI.self)) { row in
                    VDIRow.fill(&row, base, sr: attached.ref)
                    row[VDI.type] = origin[VDI.type]
                }
            }
            let new = Ref<VDI>(note.ref)
            tx.insert(VDI.self, ref: new) { row in
                note.fill(&row, derived.volume, of: origin, sr: attached.ref)
            }
            VolumeDerivation.end(uuid, in: tx)
            return new
        }
    }

    /// VDI.revert: the disk that the snapshot is of, unattached, gets its content.
    private func revert(to snapshot: Ref<VDI>, task: Ref<XenTask>) async throws {
        let target = try context.row(snapshot)[VDI.snapshotOf]
        let claims: [OperationClaim] =
            context.database.read { $0.row(target) } == nil
            ? [.vdi(snapshot, .revertTo)] : [.vdi(snapshot, .revertTo), .vdi(target, .revertFrom)]
        let attached = try await admission.run(claims, task: task) {
            let source = try context.row(snapshot)
            let row = try context.row(target)
            let attached = try context.attached(row[VDI.sr])
            guard source[VDI.sr] == row[VDI.sr] else {
                throw APIError(
                    "OPERATION_NOT_ALLOWED", "the snapshot \(snapshot.opaque) is in another SR than its disk")
            }
            let volume: Volume
            do {
                volume = try await PausedDisk(context: context).working(on: row) {
                    try await attached.manager.revertVolume(
                        attached.repository, StorageContext.volume(row), to: StorageContext.volume(source))
                }
            } catch let error as StorageError {
                throw Self.mapped(error, attached, target, "revert")
            }
            FailurePoint.reached("after-revert")
            if !attached.manager.info.writesRows {
                try await context.database.transaction { tx in try VDIRow.refresh(target, volume, in: tx) }
                // The snapshot's image may have become a base for both.
                await context.refreshChains(of: [snapshot, target], in: attached)
            }
            await context.forgetGoneNodes(attached)
            return attached
        }
        await context.refreshSpace(attached)
    }

    private func copy(
        _ vdi: Ref<VDI>, to chosen: Ref<SR>, base: Ref<VDI>, into: Ref<VDI>, call: CallContext
    ) async throws -> Ref<VDI> {
        let present = try context.row(vdi)
        let reads: [OperationClaim] = [.vdi(vdi, .copy)] + (base.isNull || base == vdi ? [] : [.vdi(base, .copy)])
        if !into.isNull {
            let sr = try context.row(into)[VDI.sr]
            try await admission.run(reads + [.vdi(into, .update)], task: call.task) { tx in
                try CopyInto.check(vdi, base: base, into: into, tx)
            } _: {
                try await CopyInto(context: context).run(vdi, base: base, into: into, progress: call.progress)
            }
            await context.refreshSpace(try context.attached(sr))
            return into
        }
        let sr = chosen.isNull ? present[VDI.sr] : chosen
        let new = try await admission.run(reads + [.sr(sr, .vdiCreate)], task: call.task) {
            try await DiskCopy(context: context, base: base).run(
                vdi, to: try context.attached(sr), progress: call.progress)
        }
        await context.refreshSpace(try context.attached(sr))
        return new
    }

    /// A driver without the operation has an error of its own. Source: the fault table of XenAPI's SMAPIv1.
    private static func mapped(
        _ error: StorageError, _ attached: AttachedRepository, _ vdi: Ref<VDI>, _ operation: String
    ) -> APIError {
        if error.fault == .unimplemented { return APIError("UNIMPLEMENTED_IN_SM_BACKEND", attached.ref.opaque) }
        return ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: operation)
    }
}

extension StorageContext {
    /// Drops the rows of hidden volumes that the driver has removed because nothing stood on them any more.
    func forgetGoneNodes(_ attached: AttachedRepository) async {
        if attached.manager.info.writesRows { return }
        let nodes = database.read { reader in
            reader.rows(VDI.self, where: VDI.sr, is: attached.ref).filter { !$0[VDI.managed] }
        }
        if nodes.isEmpty { return }
        do {
            let present = try await attached.manager.present(
                attached.repository, locations: nodes.map { $0[VDI.location] })
            try await database.transaction { tx in
                for node in nodes where !present.contains(node[VDI.location]) { tx.delete(node.typedRef(VDI.self)) }
            }
        } catch {
            logger.warning("rows of hidden volumes are left to the next scan", metadata: ["error": "\(error)"])
        }
    }
}
