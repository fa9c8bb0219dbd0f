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
            let refusal = try context.database.read { reader in
                try bootRefusal(try reader.require(vm), on: context.host, reader)
            }
            return .set(refusal == nil ? [.ref(context.host.opaque)] : [])
        }
        table.on("VM.assert_can_boot_here") { _, arguments in
            let (vm, host): (Ref<VM>, Ref<Host>) = (try arguments.get(0), try arguments.get(1))
            try context.database.read { reader in
                let row = try reader.require(vm)
                if let refusal = try bootRefusal(row, on: host, reader) { throw refusal }
                try MachineValidity.check(row)
            }
            return .void
        }
        table.on("VM.assert_agile") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            try context.database.read { try requireShared(try $0.require(vm), $0) }
            return .void
        }
        table.on("VBD.assert_attachable") { _, arguments in
            let vbd: Ref<VBD> = try arguments.get(0)
            try context.database.read { try OperationClaim.vbd(vbd, .attach).check($0) }
            return .void
        }
        table.on("VM.get_allowed_VBD_devices") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            return try free(16, vm) { reader in
                reader.rows(VBD.self) { $0[VBD.vm] == vm }.map { $0[VBD.userdevice] }
            }
        }
        table.on("VM.get_allowed_VIF_devices") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            return try free(7, vm) { reader in reader.rows(VIF.self) { $0[VIF.vm] == vm }.map { $0[VIF.device] } }
        }
        table.on("VM.get_boot_record") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            // What a guest started with cannot be changed while it runs.
            return try context.database.read { try $0.require(vm) }.record
        }
        table.on("VM.get_cooperative") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            _ = try context.database.read { try $0.require(vm) }
            // Of memory that is to be given back, which nobody asks guests for any more.
            return .bool(true)
        }
    }

    /// What a VM needs to run on any host of the pool. HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED [sr].
    private func requireShared(_ vm: Row, _ reader: any DatabaseReader) throws {
        for vbd in OperationFacts(reader).rows(VBD.self, "VM", vm.ref) where !vbd[VBD.empty] {
            let sr = try reader.require(try reader.require(vbd[VBD.vdi])[VDI.sr])
            if !sr[SR.shared] { throw APIError("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", sr.ref) }
        }
    }

    /// The numbers below `count` that no device of the VM has.
    private func free(
        _ count: Int, _ vm: Ref<VM>, _ taken: (any DatabaseReader) throws -> [String]
    ) throws -> APIValue {
        let taken = try context.database.read { reader in
            _ = try reader.require(vm)
            return Set(try taken(reader))
        }
        return .set((0..<count).map(String.init).filter { !taken.contains($0) }.map { .string($0) })
    }

    /// Nil when the host is enabled, sees the SRs of all the VM's disks and has the memory, or the VM runs there already.
    /// HOST_DISABLED [host], VM_REQUIRES_SR [vm, sr], HOST_NOT_ENOUGH_FREE_MEMORY [needed, available].
    private func bootRefusal(_ vm: Row, on host: Ref<Host>, _ reader: any DatabaseReader) throws -> APIError? {
        guard try reader.require(host)[Host.enabled] else { return APIError("HOST_DISABLED", host.opaque) }
        let facts = OperationFacts(reader)
        for vbd in facts.rows(VBD.self, "VM", vm.ref) where vbd[VBD.type] == .disk && !vbd[VBD.empty] {
            let sr = reader.row(vbd[VBD.vdi])?[VDI.sr] ?? .null
            guard facts.rows(PBD.self, "SR", sr.opaque).contains(where: { $0[PBD.currentlyAttached] }) else {
                return APIError("VM_REQUIRES_SR", vm.ref, sr.opaque)
            }
        }
        if vm[VM.residentOn] == host { return nil }
        return HostMemory.refusal(of: HostMemory.configured(vm), reader)
    }
}
