import RPCCodec
import XenAPIClient

extension Command {
    /// How much memory virtual machines have: each command passes its sizes to one message, in order.
    static let machineMemory: [Command] = [
        setsMemory(
            "vm-memory-limits-set", "VM.set_memory_limits", ["static-min", "static-max", "dynamic-min", "dynamic-max"],
            "Sets all limits of the memory of virtual machines."),
        setsMemory("vm-memory-set", "VM.set_memory", ["memory"], "Sets the memory of halted virtual machines."),
        setsMemory(
            "vm-memory-dynamic-range-set", "VM.set_memory_dynamic_range", ["min", "max"],
            "Sets between what the memory of virtual machines may vary while they run."),
        setsMemory(
            "vm-memory-static-range-set", "VM.set_memory_static_range", ["min", "max"],
            "Sets between what the memory of virtual machines may be at all."),
    ]

    private static func setsMemory(
        _ name: String, _ message: String, _ sizes: [String], _ summary: String
    ) -> Command {
        onMachines(name, sizes, optional: [], summary) { context, vm in
            var parameters = [vm]
            for size in sizes { parameters.append(.int(Int64(clamping: try context.arguments.size(size) ?? 0))) }
            _ = try await context.caller.call(message, parameters)
        }
    }
}
