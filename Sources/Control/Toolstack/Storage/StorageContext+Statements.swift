import APITypes
import Logging
import PoolDatabase
import StorageInterface

extension StorageContext {
    /// Writes into SR.sm_config what the SR, which has just been attached, can do by what it is on. An SR that does not tell is
    /// as usable; the log says so.
    func noteStatements(of sr: Ref<SR>) async {
        do {
            let attached = try attached(sr)
            let statements = try await attached.manager.statements(attached.repository)
            if statements.isEmpty { return }
            try await database.transaction { tx in
                guard let config = tx.row(sr)?[SR.smConfig] else { return }
                let stated = config.merging(statements) { $1 }
                if stated != config { try tx.set(sr, SR.smConfig, stated) }
            }
        } catch {
            logger.warning(
                "an SR does not tell what it can do", metadata: ["sr": "\(sr.opaque)", "error": "\(error)"])
        }
    }
}
