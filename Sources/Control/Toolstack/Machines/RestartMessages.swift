import APITypes
import PoolDatabase

/// What is to become of a VM when its host is lost, and how VMs follow each other when many start or end together: kept for who
/// restarts them. High availability itself cannot be enabled here, so there is no plan that a change could break.
/// Source: xapi's xapi_vm.ml.
struct RestartMessages: Sendable {
    let database: PoolDatabase

    private static let restart = "restart"
    /// VM.ha_restart_priority: restarted for certain, where there is room for it, or not.
    private static let priorities = [restart, "best-effort", ""]
    private static let numbers: [(name: String, field: FieldKey<VM, Int64>)] = [
        ("start_delay", VM.startDelay), ("shutdown_delay", VM.shutdownDelay), ("order", VM.order),
    ]

    func register(in table: inout MessageTable) {
        table.on("VM.set_ha_restart_priority") { _, arguments in
            let (vm, value): (Ref<VM>, String) = (try arguments.get(0), try arguments.get(1))
            return try await set(vm, value)
        }
        // Deprecated: who sets it wants the one priority or none.
        table.on("VM.set_ha_always_run") { _, arguments in
            let (vm, value): (Ref<VM>, Bool) = (try arguments.get(0), try arguments.get(1))
            return try await set(vm, value ? Self.restart : "")
        }
        for (name, field) in Self.numbers {
            table.on("VM.set_\(name)") { _, arguments in
                let (vm, value): (Ref<VM>, Int64) = (try arguments.get(0), try arguments.get(1))
                try await database.transaction { tx in
                    _ = try tx.require(vm)
                    if value < 0 { throw APIError("INVALID_VALUE", "\(name) must be non-negative", String(value)) }
                    try tx.set(vm, field, value)
                }
                return .void
            }
        }
    }

    /// One that runs is to be kept running from now on, or no longer.
    private func set(_ vm: Ref<VM>, _ priority: String) async throws -> APIValue {
        try await database.transaction { tx in
            let row = try tx.require(vm)
            guard Self.priorities.contains(priority) else {
                throw APIError("INVALID_VALUE", "ha_restart_priority", priority)
            }
            if row[VM.haRestartPriority] == priority { return }
            try tx.set(vm, VM.haRestartPriority, priority)
            if [.running, .paused].contains(row[VM.powerState]) {
                try tx.set(vm, VM.haAlwaysRun, priority == Self.restart)
            }
        }
        return .void
    }

    /// One that runs is to be kept running where its priority says so; one that has ended, or is suspended, is not: whoever ended it
    /// wanted that, and another pool's high availability would start it again.
    static func isKeptRunning(_ state: VMPowerState, priority: String) -> Bool {
        [.running, .paused].contains(state) && priority == restart
    }
}

extension Transaction {
    /// What the VM is from now on; `ha_always_run` follows.
    func set(_ vm: Ref<VM>, power state: VMPowerState) throws {
        let row = try require(vm)
        try set(vm, VM.powerState, state)
        let isKept = RestartMessages.isKeptRunning(state, priority: row[VM.haRestartPriority])
        if row[VM.haAlwaysRun] != isKept { try set(vm, VM.haAlwaysRun, isKept) }
    }
}
