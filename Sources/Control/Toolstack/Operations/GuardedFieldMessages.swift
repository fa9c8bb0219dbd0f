import APITypes
import PoolDatabase

/// Setters of what a user of a disk was told when it was attached: VDI.set_read_only, set_sharable and set_on_boot,
/// VBD.set_mode. The rules about operations decide, in the transaction that writes.
struct GuardedFieldMessages: Sendable {
    let admission: OperationAdmission

    func register(in table: inout MessageTable) {
        flag("read_only", VDI.readOnly, in: &table)
        flag("sharable", VDI.sharable, in: &table)
        table.on("VDI.set_on_boot") { _, arguments in
            let (vdi, value): (Ref<VDI>, OnBoot) = (try arguments.get(0), try arguments.get(1))
            try await admission.change([.vdi(vdi, .setOnBoot)]) { tx in try tx.set(vdi, VDI.onBoot, value) }
            return .void
        }
        table.on("VBD.set_mode") { _, arguments in
            let (vbd, mode): (Ref<VBD>, VBDMode) = (try arguments.get(0), try arguments.get(1))
            try await admission.change([]) { tx in
                let facts = OperationFacts(tx).vbd(try tx.require(vbd))
                if let refusal = VBDOperationRules.refusal(ofMode: mode, facts) { throw refusal }
                try tx.set(vbd, VBD.mode, mode)
            }
            return .void
        }
    }

    private func flag(_ name: String, _ key: FieldKey<VDI, Bool>, in table: inout MessageTable) {
        table.on("VDI.set_\(name)") { _, arguments in
            let (vdi, value): (Ref<VDI>, Bool) = (try arguments.get(0), try arguments.get(1))
            try await admission.change([]) { tx in
                let row = try tx.require(vdi)
                guard row[key] != value else { return }
                var facts = OperationFacts(tx)
                if let refusal = VDIOperationRules.refusal(ofChanging: name, facts.vdi(row)) { throw refusal }
                try tx.set(vdi, key, value)
            }
            return .void
        }
    }
}
