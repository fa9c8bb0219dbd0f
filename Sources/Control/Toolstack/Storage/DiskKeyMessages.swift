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
                let before = try context.row(vdi)[VDI.smConfig]
                let answer = try await store(call, arguments)
                await tell(vdi, before)
                return answer
            }
        }
    }

    private func tell(_ vdi: Ref<VDI>, _ before: [String: String]) async {
        guard let row = try? context.row(vdi), context.isForeign(row[VDI.sr]),
            let attached = try? context.attached(row[VDI.sr])
        else { return }
        let after = row[VDI.smConfig]
        var changes: [String: String?] = after.filter { before[$0.key] != $0.value }.mapValues { $0 }
        for key in before.keys where after[key] == nil { changes.updateValue(nil, forKey: key) }
        if changes.isEmpty { return }
        do {
            try await attached.manager.storeConfiguration(attached.repository, StorageContext.volume(row), changes)
        } catch {
            context.logger.warning(
                "a storage driver does not take what a disk's sm_config says",
                metadata: ["vdi": "\(row.uuid)", "error": "\(error)"])
        }
    }
}
