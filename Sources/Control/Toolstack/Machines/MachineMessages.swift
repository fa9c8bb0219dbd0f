import APITypes
import CoreTypes
import Guests
import Logging
import PoolDatabase

/// VM messages: create, destroy, start, shut down, reboot.
struct MachineMessages: Sendable {
    let context: StorageContext
    let admission: OperationAdmission
    let guests: GuestHost
    let lifecycle: MachineLifecycle
    let suspension: MachineSuspension
    /// How long a guest may take to shut itself down, seconds; VM.shutdown takes the VM's `shutdown_delay` where there is one.
    let shutdownLimit: Int

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
        end("VM.clean_shutdown", .cleanShutdown, cancellable: true, in: &table) { try await endCleanly($0, call: $1) }
        end("VM.hard_shutdown", .hardShutdown, in: &table) { vm, _ in
            if try context.row(vm)[VM.powerState] != .suspended { try await lifecycle.cutOff(vm) }
            // Of one that is suspended, or was just then, its memory is what is cut off.
            if try context.row(vm)[VM.powerState] == .suspended { try await suspension.giveUp(vm) }
        }
        end("VM.shutdown", .shutdown, cancellable: true, in: &table) { try await endSomehow($0, call: $1) }
        // A guest that starts again is a new one: it gets what was changed while it ran.
        end("VM.clean_reboot", .cleanReboot, cancellable: true, restarts: true, in: &table) { vm, call in
            let before = await lifecycle.cutOffCount(vm)
            try await lifecycle.restart(vm) {
                try await endCleanly(vm, call: call)
                // Who cuts a VM off meanwhile does not want it to run.
                guard await lifecycle.cutOffCount(vm) == before else { throw APIError("VM_HALTED", vm.opaque) }
            }
        }
        end("VM.hard_reboot", .hardReboot, restarts: true, in: &table) { vm, _ in
            try await lifecycle.restart(vm) { try await lifecycle.cutOff(vm) }
        }
        table.on("VM.power_state_reset") { call, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            try await admission.run([.vm(vm, .powerStateReset)], task: call.task) {
                if try context.row(vm)[VM.powerState] == .suspended { return try await suspension.giveUp(vm) }
                try await lifecycle.reset(vm)
            }
            return .void
        }
        table.on("VM.set_is_a_template") { _, arguments in
            let vm = try arguments.get(0, as: Ref<VM>.self)
            try await context.database.transaction { tx in
                let row = try tx.require(vm)
                let isATemplate: Bool = try arguments.get(1)
                var facts = OperationFacts(tx).vm(row)
                // A template may be called one again, and become a VM again.
                facts.isTemplate = false
                // Of a checkpoint's clone there is no other way to a machine that can be resumed.
                if !isATemplate, facts.powerState == .suspended { facts.powerState = .halted }
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
            if try context.row(vm)[VM.powerState] == .suspended { try await suspension.giveUp(vm) }
            try await context.database.transaction { tx in try MachineRows.remove(vm, in: tx) }
        }
        await lifecycle.forget(vm)
    }

    private func start(_ vm: Ref<VM>, paused: Bool, operation: VMOperations, task: Ref<XenTask>) async throws {
        try await admission.run([.vm(vm, operation), .host(context.host, .vmStart)], task: task) { tx in
            try MachineValidity.check(try tx.require(vm))
        } _: {
            try await lifecycle.start(vm, paused: paused)
        }
    }

    // MARK: Ends

    /// A message that ends a guest. What speaks against the start of one that `restarts` is said before that.
    private func end(
        _ name: String, _ operation: VMOperations, cancellable: Bool = false, restarts: Bool = false,
        in table: inout MessageTable, _ body: @escaping @Sendable (Ref<VM>, CallContext) async throws -> Void
    ) {
        table.on(name, cancellable: cancellable) { call, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            let claims: [OperationClaim] =
                restarts ? [.vm(vm, operation), .restart(context.host)] : [.vm(vm, operation)]
            try await admission.run(claims, task: call.task) { tx in
                if restarts { try MachineValidity.check(try tx.require(vm)) }
            } _: {
                do {
                    try await body(vm, call)
                } catch let error as GuestError {
                    throw ErrorMapping.api(error, vm: vm)
                }
            }
            return .void
        }
    }

    /// Asks the guest to end, and waits for it.
    private func endCleanly(_ vm: Ref<VM>, call: CallContext, limit: Int? = nil) async throws {
        try await guests.cleanShutdown(try context.row(vm)[VM.uuid])
        try await awaitHalted(vm, limit: limit ?? shutdownLimit, cancellation: call.progress.cancellation)
    }

    /// Asks the guest to end, and cuts it off when it does not. Whoever cancels wants neither.
    private func endSomehow(_ vm: Ref<VM>, call: CallContext) async throws {
        let delay = Int(clamping: try context.row(vm)[VM.shutdownDelay])
        do {
            try await endCleanly(vm, call: call, limit: delay > 0 ? delay : nil)
        } catch let error where !(error is CancellationError) {
            let uuid = try context.row(vm)[VM.uuid]
            context.logger.warning(
                "a guest did not shut down and is cut off", metadata: ["vm": "\(uuid)", "error": "\(error)"])
            try await lifecycle.cutOff(vm)
        }
    }

    /// Returns when the VM is halted, whoever did it. VM_SHUTDOWN_TIMEOUT [vm, seconds] when the guest does not end; it may
    /// still.
    private func awaitHalted(_ vm: Ref<VM>, limit: Int, cancellation: CancellationFlag) async throws {
        let deadline = ContinuousClock.now + .seconds(limit)
        while true {
            let generation = context.database.generation
            guard let row = context.database.read({ $0.row(vm) }), row[VM.powerState] != .halted else { return }
            if cancellation.isCancelled { throw CancellationError() }
            if ContinuousClock.now >= deadline {
                throw APIError("VM_SHUTDOWN_TIMEOUT", vm.opaque, String(limit))
            }
            await context.database.waitForChange(after: generation, timeout: .seconds(1))
        }
    }
}
