import APITypes
import PoolDatabase

/// What clients ask about the operations of a VM before they begin one.
struct MachineRuleMessages: Sendable {
    let context: StorageContext

    func register(in table: inout MessageTable) {
        table.on("VM.assert_operation_valid") { _, arguments in
            let (vm, operation): (Ref<VM>, VMOperations) = (try arguments.get(0), try arguments.get(1))
            try context.database.read { try OperationClaim.vm(vm, operation).check($0) }
            // Nothing speaks against it but that it does not exist.
            if !VMOperationRules.offered.contains(operation) {
                throw APIError("NOT_IMPLEMENTED", "the operation \(operation.rawValue) on VMs")
            }
            return .void
        }
        table.on("VM.update_allowed_operations") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            try await context.database.transaction { tx in try AllowedOperations.refresh(vm, in: tx) }
            return .void
        }
        table.on("VM.get_possible_hosts") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            return .set(try possibleHosts(vm).map { .ref($0.opaque) })
        }
    }

    /// This host, when it is enabled, sees the SRs of all the VM's disks and has the memory.
    private func possibleHosts(_ vm: Ref<VM>) throws -> [Ref<Host>] {
        try context.database.read { reader in
            let row = try reader.require(vm)
            guard try reader.require(context.host)[Host.enabled] else { return [] }
            let facts = OperationFacts(reader)
            for vbd in facts.rows(VBD.self, "VM", vm.opaque) where vbd[VBD.type] == .disk && !vbd[VBD.empty] {
                let sr = reader.row(vbd[VBD.vdi])?[VDI.sr] ?? .null
                guard facts.rows(PBD.self, "SR", sr.opaque).contains(where: { $0[PBD.currentlyAttached] }) else {
                    return []
                }
            }
            if row[VM.residentOn] == context.host { return [context.host] }
            let (total, available) = HostMemory.read()
            let free = HostMemory.free(total: total, available: available, promised: HostMemory.promised(reader))
            return HostMemory.configured(row) <= free ? [context.host] : []
        }
    }
}
