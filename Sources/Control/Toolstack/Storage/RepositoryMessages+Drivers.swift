import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

extension RepositoryMessages {
    /// Makes an SR whose driver writes rows: it looks for the SR's own, so these come first, and go when it fails. A note says
    /// so meanwhile. When the toolstack is killed, the rows stay, unplugged: only the driver knows what it has made, and to
    /// have it destroyed unasked might hit what was at the place before. Whoever starts next leaves an alert.
    func createByDriver(
        _ repository: StorageRepository, _ manager: any StorageManager, pbd: Ref<PBD>, task: Ref<XenTask>,
        insertRows: @escaping @Sendable (Transaction) -> Void
    ) async throws {
        let sr = Ref<SR>(repository.ref)
        var isMade = false
        do {
            try await context.database.transaction { tx in
                insertRows(tx)
                RepositoryCreations.begin(repository, type: manager.info.type, in: tx)
            }
            FailurePoint.reached("sr-after-rows")
            try await manager.createRepository(repository)
            isMade = true
            try await plug(pbd, task: task)
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
