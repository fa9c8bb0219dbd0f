import APITypes
import PoolDatabase

/// VM.set_VCPUs_max and VM.set_VCPUs_at_startup: the processors of a halted VM, at least one, and no more at its start than
/// it can have. Their number cannot be changed while the guest runs.
struct ProcessorMessages: Sendable {
    let database: PoolDatabase

    func register(in table: inout MessageTable) {
        table.on("VM.set_VCPUs_max") { _, arguments in
            try await change(arguments) { vm, value in
                if value < 1 { throw APIError("INVALID_VALUE", "VCPUs_max", String(value)) }
                let atStartup = vm[VM.vcpusAtStartup]
                if atStartup > value { throw MachineValidity.tooManyProcessors(atStartup) }
                return VM.vcpusMax
            }
        }
        table.on("VM.set_VCPUs_at_startup") { _, arguments in
            try await change(arguments) { vm, value in
                if value < 1 { throw APIError("INVALID_VALUE", "VCPUs_at_startup", String(value)) }
                if value > vm[VM.vcpusMax] { throw MachineValidity.tooManyProcessors(value) }
                return VM.vcpusAtStartup
            }
        }
    }

    private func change(
        _ arguments: Arguments, _ check: @escaping @Sendable (Row, Int64) throws -> FieldKey<VM, Int64>
    ) async throws -> APIValue {
        let (vm, value): (Ref<VM>, Int64) = (try arguments.get(0), try arguments.get(1))
        try await OperationAdmission(database: database).change([.vm(vm, .changingVCPUs)]) { tx in
            try tx.set(vm, try check(try tx.require(vm), value), value)
        }
        return .void
    }
}
