import APITypes
import PoolDatabase

/// VM.set_memory_*: the four limits of a halted VM, always in order. A guest gets `memory_static_max`, of which
/// VM.maximise_memory tells how much fits.
struct MemoryMessages: Sendable {
    let context: StorageContext

    private struct Limits {
        var staticMin: Int64
        var dynamicMin: Int64
        var dynamicMax: Int64
        var staticMax: Int64
    }

    func register(in table: inout MessageTable) {
        table.on("VM.set_memory_limits") { _, arguments in
            let limits = Limits(
                staticMin: try arguments.get(1), dynamicMin: try arguments.get(3), dynamicMax: try arguments.get(4),
                staticMax: try arguments.get(2))
            return try await change(arguments, .changingMemoryLimits) { $0 = limits }
        }
        table.on("VM.set_memory") { _, arguments in
            let value: Int64 = try arguments.get(1)
            return try await change(arguments, .changingMemoryLimits) {
                $0 = Limits(staticMin: min($0.staticMin, value), dynamicMin: value, dynamicMax: value, staticMax: value)
            }
        }
        table.on("VM.set_memory_static_range") { _, arguments in
            let (low, high): (Int64, Int64) = (try arguments.get(1), try arguments.get(2))
            return try await change(arguments, .changingStaticRange) { ($0.staticMin, $0.staticMax) = (low, high) }
        }
        table.on("VM.set_memory_dynamic_range") { _, arguments in
            let (low, high): (Int64, Int64) = (try arguments.get(1), try arguments.get(2))
            return try await change(arguments, .changingDynamicRange) { ($0.dynamicMin, $0.dynamicMax) = (low, high) }
        }
        table.on("VM.maximise_memory") { _, arguments in
            let (vm, total): (Ref<VM>, Int64) = (try arguments.get(0), try arguments.get(1))
            let row = try context.database.read { try $0.require(vm) }
            // The overhead is an estimate: there is no more exact one to ask for.
            return .int(max(0, max(0, total) - HostMemory.overhead(vcpus: max(1, row[VM.vcpusMax]))))
        }
        single("VM.set_memory_static_min", \.staticMin, .changingStaticRange, in: &table)
        single("VM.set_memory_dynamic_min", \.dynamicMin, .changingDynamicRange, in: &table)
        single("VM.set_memory_dynamic_max", \.dynamicMax, .changingDynamicRange, in: &table)
        single("VM.set_memory_static_max", \.staticMax, .changingStaticRange, in: &table)
    }

    private func single(
        _ name: String, _ path: any WritableKeyPath<Limits, Int64> & Sendable, _ operation: VMOperations,
        in table: inout MessageTable
    ) {
        table.on(name) { _, arguments in
            let value: Int64 = try arguments.get(1)
            return try await change(arguments, operation) { $0[keyPath: path] = value }
        }
    }

    private func change(
        _ arguments: Arguments, _ operation: VMOperations, _ edit: @escaping @Sendable (inout Limits) -> Void
    ) async throws -> APIValue {
        let vm: Ref<VM> = try arguments.get(0)
        try await OperationAdmission(database: context.database).change([.vm(vm, operation)]) { tx in
            let row = try tx.require(vm)
            var limits = Limits(
                staticMin: row[VM.memoryStaticMin], dynamicMin: row[VM.memoryDynamicMin],
                dynamicMax: row[VM.memoryDynamicMax], staticMax: row[VM.memoryStaticMax])
            edit(&limits)
            guard 0 <= limits.staticMin, limits.staticMin <= limits.dynamicMin, limits.dynamicMin <= limits.dynamicMax,
                limits.dynamicMax <= limits.staticMax
            else {
                throw MachineValidity.memoryOutOfOrder
            }
            try tx.set(vm, VM.memoryStaticMin, limits.staticMin)
            try tx.set(vm, VM.memoryDynamicMin, limits.dynamicMin)
            try tx.set(vm, VM.memoryDynamicMax, limits.dynamicMax)
            try tx.set(vm, VM.memoryStaticMax, limits.staticMax)
        }
        return .void
    }
}
