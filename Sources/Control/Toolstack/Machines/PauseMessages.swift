import APITypes
import PoolDatabase

/// VM.pause and VM.unpause: a guest's processors are held where they are, and go on. Its disks stay attached.
struct PauseMessages: Sendable {
    let admission: OperationAdmission
    let lifecycle: MachineLifecycle

    func register(in table: inout MessageTable) {
        on("VM.pause", .pause, in: &table) { try await lifecycle.pause($0) }
        on("VM.unpause", .unpause, in: &table) { try await lifecycle.unpause($0) }
    }

    private func on(
        _ name: String, _ operation: VMOperations, in table: inout MessageTable,
        _ body: @escaping @Sendable (Ref<VM>) async throws -> Void
    ) {
        table.on(name) { call, arguments in
            let vm: Ref<VM> = try arguments.get(0)
            try await admission.run([.vm(vm, operation)], task: call.task) { try await body(vm) }
            return .void
        }
    }
}
