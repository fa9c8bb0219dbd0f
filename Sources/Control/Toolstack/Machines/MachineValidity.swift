import APITypes
import PoolDatabase

/// What must be right about a VM before it starts. As in XenAPI, VM.create takes what it is given: templates are made so, and
/// changed before their first start.
enum MachineValidity {
    /// INVALID_VALUE [field, value], VALUE_NOT_SUPPORTED [field, value, reason], MEMORY_CONSTRAINT_VIOLATION [text].
    static func check(_ vm: Row) throws(APIError) {
        let (most, atStartup) = (vm[VM.vcpusMax], vm[VM.vcpusAtStartup])
        if most < 1 { throw APIError("INVALID_VALUE", "VCPUs_max", String(most)) }
        if atStartup < 1 { throw APIError("INVALID_VALUE", "VCPUs_at_startup", String(atStartup)) }
        if atStartup > most { throw tooManyProcessors(atStartup) }
        guard 0 <= vm[VM.memoryStaticMin], vm[VM.memoryStaticMin] <= vm[VM.memoryStaticMax],
            vm[VM.memoryDynamicMin] <= vm[VM.memoryDynamicMax]
        else { throw memoryOutOfOrder }
    }

    static func tooManyProcessors(_ atStartup: Int64) -> APIError {
        APIError("VALUE_NOT_SUPPORTED", "VCPUs_at_startup", String(atStartup), "value greater than VCPUs_max")
    }

    static let memoryOutOfOrder = APIError(
        "MEMORY_CONSTRAINT_VIOLATION",
        "Memory limits must satisfy: static_min <= dynamic_min <= dynamic_max <= static_max")
}
