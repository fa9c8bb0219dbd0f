import APITypes
import CoreTypes
import Guests
import PoolDatabase

/// VM messages: create, destroy, start, shut down.
struct MachineMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    /// How long a guest may take to shut itself down, seconds.
    private static let shutdownTimeout = 1200

    func register(in table: inout MessageTable) {
        table.on("VM.create") { _, arguments in .ref(try await create(arguments.values[0]).opaque) }
        table.on("VM.destroy") { call, arguments in
            try await destroy(arguments.get(0), task: call.task)
            return .void
        }
        table.on("VM.start") { call, arguments in
            try await start(arguments.get(0), paused: arguments.get(1), operation: .start, task: call.task)
            return .void
        }
        table.on("VM.start_on") { call, arguments in
            _ = try context.row(arguments.get(0, as: Ref<VM>.self))
            _ = try context.row(arguments.get(1, as: Ref<Host>.self))
            try await start(arguments.get(0), paused: arguments.get(2), operation: .startOn, task: call.task)
            return .void
        }
        table.on("VM.clean_shutdown", cancellable: true) { call, arguments in
            try await shutDown(arguments.get(0), clean: true, operation: .cleanShutdown, call: call)
            return .void
        }
        table.on("VM.hard_shutdown") { call, arguments in
            try await shutDown(arguments.get(0), clean: false, operation: .hardShutdown, call: call)
            return .void
        }
        table.on("VM.shutdown", cancellable: true) { call, arguments in
            try await shutDown(arguments.get(0), clean: true, operation: .shutdown, call: call)
            return .void
        }
        table.on("VM.get_allowed_VBD_devices") { _, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            _ = try context.row(vm)
            let taken = context.database.read { reader in
                Set(reader.rows(VBD.self) { $0[VBD.vm] == vm }.map { $0[VBD.userdevice] })
            }
            return .set((0..<16).map(String.init).filter { !taken.contains($0) }.map { .string($0) })
        }
        table.on("VM.set_is_a_template") { _, arguments in
            let vm = try arguments.get(0, as: Ref<VM>.self)
            try await context.database.transaction { tx in
                let row = try tx.require(vm)
                let isATemplate: Bool = try arguments.get(1)
                var facts = OperationFacts(tx).vm(row)
                // A template may be called one again, and become a VM again.
                facts.isTemplate = false
                if let refusal = VMOperationRules.refusal(of: .makeIntoTemplate, facts) { throw refusal }
                try tx.set(vm, VM.isATemplate, isATemplate)
            }
            return .void
        }
    }

    private func create(_ record: APIValue) async throws -> Ref<VM> {
        let vm = Fresh.ref(VM.self)
        let host = context.host
        guard case .record(let members) = record else { throw APIError.internalError("VM.create needs a record") }
        try await context.database.transaction { tx in
            let metrics = Fresh.ref(VMMetrics.self)
            tx.insert(VMMetrics.self, ref: metrics) { row in row[VMMetrics.uuid] = Fresh.uuid() }
            tx.insert(VM.self, ref: vm) { row in
                for member in members { row[field: member.name] = member.value }
                row[VM.uuid] = Fresh.uuid()
                row[VM.powerState] = .halted
                row[VM.residentOn] = .null
                row[VM.affinity] = row[VM.affinity].isNull ? host : row[VM.affinity]
                row[VM.metrics] = metrics
                row[VM.domid] = -1
                row[VM.isControlDomain] = false
                row[VM.currentOperations] = [:]
            }
        }
        return vm
    }

    private func destroy(_ vm: Ref<VM>, task: Ref<XenTask>) async throws {
        try await admission.run([.vm(vm, .destroy)], task: task) {
            try await context.database.transaction { tx in
                for vbd in tx.rows(VBD.self, where: { $0[VBD.vm] == vm }) { tx.delete(vbd.typedRef(VBD.self)) }
                if let row = tx.row(vm) {
                    tx.delete(row[VM.metrics])
                    GuestRows.forget(row, in: tx)
                }
                tx.delete(vm)
            }
        }
    }

    private func start(_ vm: Ref<VM>, paused: Bool, operation: VMOperations, task: Ref<XenTask>) async throws {
        if paused { throw APIError("NOT_IMPLEMENTED", "VM.start with start_paused") }
        try await admission.run([.vm(vm, operation), .host(context.host, .vmStart)], task: task) {
            try await lifecycle.start(vm)
        }
    }

    private func shutDown(_ vm: Ref<VM>, clean: Bool, operation: VMOperations, call: CallContext) async throws {
        try await admission.run([.vm(vm, operation)], task: call.task) {
            let row = try context.row(vm)
            do {
                if clean {
                    try await guests.cleanShutdown(row[VM.uuid])
                    try await awaitHalted(vm, cancellation: call.progress.cancellation)
                } else {
                    try await guests.hardShutdown(row[VM.uuid])
                    await lifecycle.halted(row[VM.uuid])
                }
            } catch let error as GuestError {
                throw ErrorMapping.api(error, vm: vm)
            }
        }
    }

    /// Returns when the VM is halted, whoever did it. VM_SHUTDOWN_TIMEOUT when the guest does not end; it may still.
    private func awaitHalted(_ vm: Ref<VM>, cancellation: CancellationFlag) async throws {
        let deadline = ContinuousClock.now + .seconds(Self.shutdownTimeout)
        while true {
            let generation = context.database.generation
            guard let row = context.database.read({ $0.row(vm) }), row[VM.powerState] != .halted else { return }
            if cancellation.isCancelled { throw CancellationError() }
            if ContinuousClock.now >= deadline {
                throw APIError("VM_SHUTDOWN_TIMEOUT", vm.opaque, String(Self.shutdownTimeout))
            }
            await context.database.waitForChange(after: generation, timeout: .seconds(1))
        }
    }
}
