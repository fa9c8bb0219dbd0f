import APITypes
import CoreTypes
import Logging
import PoolDatabase
import StorageInterface

// SR.create: noted before its first effect, plugged from its first row on, taken back when it fails.
extension RepositoryMessages {
    func create(
        host: Ref<Host>, deviceConfig: [String: String], size: Int64, nameLabel: String, nameDescription: String,
        type: String, contentType: String, shared: Bool, smConfig: [String: String], task: Ref<XenTask>
    ) async throws -> Ref<SR> {
        _ = try context.row(host)
        let manager = try context.manager(ofType: type)
        let sr = Fresh.ref(SR.self)
        let repository = StorageRepository(
            uuid: Fresh.uuid(), deviceConfig: deviceConfig, ref: sr.opaque, smConfig: smConfig,
            physicalSize: UInt64(clamping: size))
        let pbd = Fresh.ref(PBD.self)
        let insertRows: @Sendable (Transaction) -> Void = { tx in
            tx.insert(SR.self, ref: sr) { row in
                row[SR.uuid] = repository.uuid
                row[SR.nameLabel] = nameLabel
                row[SR.nameDescription] = nameDescription
                row[SR.type] = type.lowercased()
                // Whoever makes a library of discs need not say that there are discs in it.
                row[SR.contentType] = contentType.isEmpty && type.lowercased() == "iso" ? "iso" : contentType
                row[SR.shared] = shared
                row[SR.smConfig] = smConfig
            }
            tx.insert(PBD.self, ref: pbd) { row in
                row[PBD.host] = host
                row[PBD.sr] = sr
                row[PBD.deviceConfig] = deviceConfig
            }
        }
        if manager.info.writesRows {
            try await createByDriver(repository, manager, pbd: pbd, task: task, insertRows: insertRows)
            return sr
        }
        context.repositoriesBeingMade.insert(repository.uuid)
        defer { context.repositoriesBeingMade.remove(repository.uuid) }
        await RepositoryCreations.clear(for: repository, type: type, context)
        try await context.database.transaction { tx in RepositoryCreations.begin(repository, type: type, in: tx) }
        FailurePoint.reached("sr-before-create")
        do {
            try await manager.createRepository(repository)
        } catch {
            if error.leavesSomething {
                await takeBack(repository, manager)
            } else {
                try? await context.database.transaction { tx in RepositoryCreations.end(repository.uuid, in: tx) }
            }
            throw ErrorMapping.api(error, sr: sr)
        }
        FailurePoint.reached("sr-after-create")
        // Others see the SR from the transaction on that inserts it; it is being plugged by then, and nothing that does not
        // go together with that begins.
        try await context.turns.run(pbd.opaque) {
            let admitted: OperationAdmission.Admitted
            do {
                admitted = try await insert(sr, pbd)
            } catch {
                await takeBack(repository, manager)
                throw error
            }
            FailurePoint.reached("sr-after-rows")
            do {
                try await attach(pbd)
            } catch {
                await abandon(sr, pbd, repository, type, manager)
                await admission.end(admitted)
                throw error
            }
            await admission.end(admitted)
        }
        return sr

        func insert(_ sr: Ref<SR>, _ pbd: Ref<PBD>) async throws -> OperationAdmission.Admitted {
            try await context.database.transaction { tx in
                insertRows(tx)
                RepositoryCreations.end(repository.uuid, in: tx)
                RepositoryPlaces.note(repository.uuid, in: tx)
                let admitted = OperationAdmission.Admitted(
                    entries: OperationClaim.sr(sr, .plug).entries(tx),
                    key: task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque)
                try OperationAdmission.enter(admitted, in: tx)
                return admitted
            }
        }
    }

    /// Takes back an SR whose first plugging failed. It is noted as not made again, so that this too survives a kill.
    private func abandon(
        _ sr: Ref<SR>, _ pbd: Ref<PBD>, _ repository: StorageRepository, _ type: String, _ manager: any StorageManager
    ) async {
        do {
            try await context.database.transaction { tx in
                RepositoryCreations.begin(repository, type: type, in: tx)
                RepositoryPlaces.forget(repository.uuid, in: tx)
                tx.delete(pbd)
                tx.delete(sr)
            }
        } catch {
            // It is still an SR, and stays one.
            context.logger.error(
                "an SR that could not be plugged cannot be taken back",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
            return
        }
        do {
            try await manager.detach(repository)
        } catch {
            context.logger.warning(
                "an SR that could not be made cannot be detached",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
        await takeBack(repository, manager)
    }

    /// Undoes what is noted as not made. The note stays when that fails.
    private func takeBack(_ repository: StorageRepository, _ manager: any StorageManager) async {
        do {
            try await manager.undoCreation(repository)
            try await context.database.transaction { tx in RepositoryCreations.end(repository.uuid, in: tx) }
        } catch {
            context.logger.warning(
                "an SR that could not be made cannot be taken away; the next start, or the next that is made there, tries again",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
    }
}
