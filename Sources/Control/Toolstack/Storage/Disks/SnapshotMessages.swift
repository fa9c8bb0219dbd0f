import APITypes
import Logging
import PoolDatabase
import StorageInterface

/// VDI.snapshot, clone, revert and copy.
struct SnapshotMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.snapshot", cancellable: true) { call, arguments in
            .ref(try await derive(.snapshot, arguments.get(0), driverParams: arguments.get(1), call).opaque)
        }
        table.on("VDI.clone", cancellable: true) { call, arguments in
            .ref(try await derive(.clone, arguments.get(0), driverParams: arguments.get(1), call).opaque)
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

    /// A snapshot or clone. A running guest's data path is paused for the moment that it takes. The new row, the hidden
    /// volume's and what became of the disk's own image are one transaction.
    private func derive(
        _ kind: DiskDerivation.Kind, _ vdi: Ref<VDI>, driverParams: [String: String], _ call: CallContext
    ) async throws -> Ref<VDI> {
        let (made, attached) = try await admission.runInTurn(
            [.vdi(vdi, kind == .snapshot ? .snapshot : .clone)], task: call.task,
            cancellation: call.progress.cancellation
        ) {
            try await call.progress.passPointOfNoReturn()
            let derivation = try DiskDerivation(kind, of: vdi, parameters: driverParams, in: context)
            context.volumesBeingMade.insert(derivation.uuid)
            defer { context.volumesBeingMade.remove(derivation.uuid) }
            if !derivation.writesRows {
                try await context.database.transaction { tx in try derivation.begin(in: tx) }
            }
            let derived: DerivedVolume
            do {
                derived = try await PausedDisk(context: context).working(on: derivation.origin) {
                    try await derivation.volume()
                }
            } catch {
                throw await derivation.failed(error, in: context)
            }
            FailurePoint.reached("after-snapshot")
            do {
                let made = try await context.database.transaction { tx in try derivation.record(derived, in: tx) }
                return (made, derivation.attached)
            } catch {
                try? await derivation.discard(derived, in: context)
                throw error
            }
        }
        await context.refreshSpace(attached)
        return made
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
            try await admission.run(reads + [.overwrite(into)], task: call.task) { tx in
                try CopyInto.check(vdi, base: base, into: into, tx)
            } _: {
                try await CopyInto(context: context).run(vdi, base: base, into: into, progress: call.progress)
            }
            // It is done, whatever has become of the SR meanwhile.
            if let attached = try? context.attached(sr) { await context.refreshSpace(attached) }
            return into
        }
        let sr = chosen.isNull ? present[VDI.sr] : chosen
        let new = try await admission.run(reads + [.sr(sr, .vdiCreate)], task: call.task) {
            try await DiskCopy(context: context, base: base).run(
                vdi, to: try context.attached(sr), progress: call.progress)
        }
        if let attached = try? context.attached(sr) { await context.refreshSpace(attached) }
        return new
    }

    /// A driver without the operation has an error of its own. Source: the fault table of XenAPI's SMAPIv1.
    static func mapped(
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
