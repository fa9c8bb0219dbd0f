import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

extension RepositoryMessages {
    /// Makes an SR whose driver writes rows: it looks for the SR's own, so these come first, and go when it fails. A note says
    /// so meanwhile. When the toolstack is killed, the rows stay, unplugged: only the driver knows what it has made, and to
    /// have it destroyed unasked might hit what was at the place before. Whoever starts next leaves an alert. Others see the SR
    /// from its first moment on as one that is being plugged, and begin nothing that does not go together with that.
    func createByDriver(
        _ repository: StorageRepository, _ manager: any StorageManager, pbd: Ref<PBD>, task: Ref<XenTask>,
        insertRows: @escaping @Sendable (Transaction) -> Void
    ) async throws {
        let sr = Ref<SR>(repository.ref)
        try await context.turns.run(pbd.opaque) {
            let admitted = try await context.database.transaction { tx in
                insertRows(tx)
                RepositoryCreations.begin(repository, type: manager.info.type, in: tx)
                let admitted = OperationAdmission.Admitted(
                    entries: OperationClaim.sr(sr, .plug).entries(tx),
                    key: task.isNull ? Fresh.ref(XenTask.self).opaque : task.opaque)
                try OperationAdmission.enter(admitted, in: tx)
                return admitted
            }
            do {
                try await make(repository, manager, pbd: pbd)
            } catch {
                await admission.end(admitted)
                throw error
            }
            await admission.end(admitted)
        }
    }

    /// The rows are there, and go when this throws.
    private func make(_ repository: StorageRepository, _ manager: any StorageManager, pbd: Ref<PBD>) async throws {
        let sr = Ref<SR>(repository.ref)
        var isMade = false
        do {
            FailurePoint.reached("sr-after-rows")
            try await manager.createRepository(repository)
            isMade = true
            try await attach(pbd)
            try await context.database.transaction { tx in RepositoryCreations.end(repository.uuid, in: tx) }
        } catch {
            // The driver may need the rows to undo.
            if isMade { try? await manager.destroyRepository(repository) }
            try? await context.database.transaction { tx in
                tx.delete(pbd)
                for vdi in tx.rows(VDI.self, where: VDI.sr, is: sr) { tx.delete(vdi.typedRef(VDI.self)) }
                tx.delete(sr)
                RepositoryCreations.end(repository.uuid, in: tx)
            }
            if let error = error as? StorageError { throw ErrorMapping.api(error, sr: sr) }
            throw error
        }
    }
}
