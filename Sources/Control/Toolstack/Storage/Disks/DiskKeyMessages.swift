import APITypes
import DataModel
import Logging
import PoolDatabase
import StorageInterface

/// Setters of VDI.sm_config. Drivers that keep its entries with the volumes, so that rows can be made from them, are told; the
/// row counts.
struct DiskKeyMessages: Sendable {
    let context: StorageContext

    func register(in table: inout MessageTable) {
        let implied = ImpliedMessages(database: context.database)
        for name in ["VDI.set_sm_config", "VDI.add_to_sm_config", "VDI.remove_from_sm_config"] {
            guard let message = Datamodel.all.message(name), let store = implied.handler(for: message) else { continue }
            table.on(name) { call, arguments in
                let vdi: Ref<VDI> = try arguments.get(0)
                // In turn: what one changes and another changes back at the same time has changed for both.
                let (answer, keys) = try await context.turns.run("sm_config \(vdi.opaque)") {
                    let before = try context.row(vdi)[VDI.smConfig]
                    let answer = try await store(call, arguments)
                    let after = (try? context.row(vdi))?[VDI.smConfig] ?? [:]
                    return (answer, Set(before.keys).union(after.keys).filter { before[$0] != after[$0] })
                }
                await tell(vdi, keys)
                return answer
            }
        }
    }

    private func tell(_ vdi: Ref<VDI>, _ keys: Set<String>) async {
        guard let row = try? context.row(vdi), context.isForeign(row[VDI.sr]),
            let attached = try? context.attached(row[VDI.sr])
        else { return }
        if keys.isEmpty { return }
        do {
            try await attached.manager.storeConfiguration(attached.repository, StorageContext.volume(row)) {
                guard let present = (try? context.row(vdi))?[VDI.smConfig] else { return [:] }
                return Dictionary(uniqueKeysWithValues: keys.map { ($0, present[$0]) })
            }
        } catch {
            context.logger.warning(
                "a storage driver does not take what a disk's sm_config says",
                metadata: ["vdi": "\(row.uuid)", "error": "\(error)"])
        }
    }
}
