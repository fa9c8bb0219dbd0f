import APITypes
import PoolDatabase
import StorageInterface

/// VDI.generate_config: how a driver attaches a disk when there is no toolstack, in the driver's own words.
struct ConfigurationMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.generate_config") { call, arguments in
            let (host, vdi): (Ref<Host>, Ref<VDI>) = (try arguments.get(0), try arguments.get(1))
            _ = try context.row(host)
            return .string(
                try await admission.run([.vdi(vdi, .generateConfig)], task: call.task) { try await text(vdi) })
        }
    }

    private func text(_ vdi: Ref<VDI>) async throws -> String {
        let row = try context.row(vdi)
        let attached = try context.attached(row[VDI.sr])
        do throws(StorageError) {
            return try await attached.manager.configuration(attached.repository, StorageContext.volume(row))
        } catch {
            throw ErrorMapping.api(error, sr: attached.ref, vdi: vdi, operation: "generate_config")
        }
    }
}
