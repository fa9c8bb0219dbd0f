import APITypes
import CoreTypes
import PoolDatabase
import StorageInterface

extension RepositoryMessages {
    /// Makes an SR whose driver writes rows: it looks for the SR's own, so these come first, and go when it fails.
    func createByDriver(
        _ repository: StorageRepository, _ manager: any StorageManager, pbd: Ref<PBD>, task: Ref<XenTask>,
        insertRows: @escaping @Sendable (Transaction) -> Void
    ) async throws {
        let sr = Ref<SR>(repository.ref)
        var isMade = false
        do {
            try await context.database.transaction { tx in insertRows(tx) }
            try await manager.createRepository(repository)
            isMade = true
            try await plug(pbd, task: task)
        } catch {
            // The driver may need the rows to undo.
            if isMade { try? await manager.destroyRepository(repository) }
            try? await context.database.transaction { tx in
                tx.delete(pbd)
                for vdi in tx.rows(VDI.self, where: VDI.sr, is: sr) { tx.delete(vdi.typedRef(VDI.self)) }
                tx.delete(sr)
            }
            if let error = error as? StorageError { throw ErrorMapping.api(error, sr: sr) }
            throw error
        }
    }
}
