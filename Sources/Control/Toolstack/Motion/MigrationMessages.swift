import APITypes
import PoolDatabase

/// VDI.pool_migrate. The reference needs a VM and moves it to itself; here the disk's data path is mirrored and pivots in
/// place, so disks of running and halted VMs and of none move alike, without memory for a second VM.
struct MigrationMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        table.on("VDI.pool_migrate", cancellable: true) { call, arguments in
            .ref(
                try await migrate(
                    arguments.get(0), to: arguments.get(1), options: arguments.get(2), call: call
                ).opaque)
        }
    }

    private func migrate(
        _ vdi: Ref<VDI>, to sr: Ref<SR>, options: [String: String], call: CallContext
    ) async throws -> Ref<VDI> {
        try DiskMoves.check(options)
        let wanted = WantedMove(vdi: vdi, destination: sr, choice: DiskMoves.choice(options))
        try context.database.read { reader in
            for claim in DiskMoves.claims([(vdi, sr)]) { try claim.check(reader) }
        }
        try await MoveDestinations(context: context, admission: admission).plug([wanted], task: call.task)
        // The disk as it is once nobody else changes it.
        return try await admission.run(DiskMoves.claims([(vdi, sr)]), task: call.task) {
            let moved = try await DiskMoves(context: context, admission: admission).run(
                [wanted], options: options, call: call)
            return moved[vdi.opaque] ?? vdi
        }
    }
}
