import APITypes
import PoolDatabase

/// VM.suspend, VM.resume, VM.resume_on, VM.set_suspend_VDI.
struct SuspensionMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let suspension: MachineSuspension

    func register(in table: inout MessageTable) {
        table.on("VM.suspend", cancellable: true) { call, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            try await admission.run([.vm(vm, .suspend)], task: call.task) { tx in
                try Self.requireSteadyDevices(of: vm, tx)
            } _: {
                try await suspension.suspend(vm, call)
            }
            return .void
        }
        table.on("VM.resume", cancellable: true) { call, arguments in
            try await resume(arguments.get(0), paused: arguments.get(1), .resume, call)
        }
        table.on("VM.resume_on", cancellable: true) { call, arguments in
            _ = try context.row(arguments.get(0, as: Ref<VM>.self))
            _ = try context.row(arguments.get(1, as: Ref<Host>.self))
            return try await resume(arguments.get(0), paused: arguments.get(2), .resumeOn, call)
        }
        table.on("VM.set_suspend_VDI") { call, arguments in
            try await replace(arguments.get(0), by: arguments.get(1), call)
            return .void
        }
    }

    /// What is being plugged, or let go of, may or may not be in the guest that is saved: OTHER_OPERATION_IN_PROGRESS [VBD, ref, …].
    static func requireSteadyDevices(of vm: Ref<VM>, _ tx: Transaction) throws {
        for vbd in tx.rows(VBD.self, where: VBD.vm, is: vm) {
            if let other = CurrentOperation<VBDOperations>.read(vbd[VBD.currentOperations]).first {
                throw other.inTheWay(of: "VBD", vbd.ref)
            }
        }
    }

    private func resume(
        _ vm: Ref<VM>, paused: Bool, _ operation: VMOperations, _ call: CallContext
    ) async throws -> APIValue {
        try await admission.run([.vm(vm, operation), .host(context.host, .vmResume)], task: call.task) {
            try await suspension.resume(vm, paused: paused, call)
        }
        return .void
    }

    /// Another disk with the same content takes the place of the image, as after a copy to other storage. Its content is compared:
    /// a guest must never get memory that is not its own.
    private func replace(_ vm: Ref<VM>, by new: Ref<VDI>, _ call: CallContext) async throws {
        let old = try await context.database.transaction { tx in
            let row = try tx.require(vm)
            _ = try tx.require(new)
            guard row[VM.powerState] == .suspended else {
                throw APIError("VM_BAD_POWER_STATE", vm.opaque, "suspended", row[VM.powerState].rawValue.lowercased())
            }
            return row[VM.suspendVDI]
        }
        if old == new { return }
        // Nobody resumes it meanwhile.
        try await admission.run([.vm(vm, .resume)], task: call.task) {
            let (expected, found) = (try await suspension.sum(of: old), try? await suspension.sum(of: new))
            guard found == expected else {
                throw APIError("OPERATION_NOT_ALLOWED", "the VDI does not hold what the suspend image of the VM holds")
            }
            try await context.database.transaction { tx in
                // It may have gone, or got another user, since it was read.
                _ = try tx.require(new)
                if !tx.rows(VBD.self, where: VBD.vdi, is: new).isEmpty
                    || !tx.rows(VM.self, where: VM.suspendVDI, is: new).isEmpty
                {
                    throw APIError("VDI_IN_USE", new.opaque, "update")
                }
                try tx.set(new, VDI.type, .suspend)
                try tx.set(vm, VM.suspendVDI, new)
            }
        }
    }
}
