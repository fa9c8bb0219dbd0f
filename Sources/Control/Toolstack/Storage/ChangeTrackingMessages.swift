import APITypes
import PoolDatabase

/// VDI.enable_cbt, disable_cbt, data_destroy and list_changed_blocks.
///
/// No storage manager tracks changes: none names the feature VDI_CONFIG_CBT, and the rules answer what XenAPI has for that,
/// SR_OPERATION_NOT_SUPPORTED [sr]. A driver that names it and is not asked gets the same answer, after the other rules.
struct ChangeTrackingMessages: Sendable {
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        for (name, operation) in [
            ("enable_cbt", VDIOperations.enableCBT), ("disable_cbt", .disableCBT), ("data_destroy", .dataDestroy),
        ] {
            table.on("VDI.\(name)") { _, arguments in
                try await refuse(arguments.get(0), operation)
                return .void
            }
        }
        table.on("VDI.list_changed_blocks") { _, arguments in
            let to: Ref<VDI> = try arguments.get(1)
            _ = try admission.database.read { try $0.require(to) }
            try await refuse(arguments.get(0), .listChangedBlocks)
            return .string("")
        }
    }

    private func refuse(_ vdi: Ref<VDI>, _ operation: VDIOperations) async throws {
        try await admission.change([.vdi(vdi, operation)]) { tx in
            throw APIError("SR_OPERATION_NOT_SUPPORTED", try tx.require(vdi)[VDI.sr].opaque)
        }
    }
}
