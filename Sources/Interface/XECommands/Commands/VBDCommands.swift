import APITypes
import RPCCodec
import XenAPIClient

extension Command {
    /// Disks as devices of virtual machines.
    static let blockDevice: [Command] = [
        Command(
            "vbd-create", ["vm-uuid", "device"], optional: ["vdi-uuid", "bootable", "type", "mode", "unpluggable"],
            "Gives a virtual machine a disk or an empty drive and prints the device's uuid."
        ) { context in
            let arguments = context.arguments
            let machine = try await context.object("VM", named: "vm-uuid")
            let disk = try await context.optionalObject("VDI", named: "vdi-uuid")
            let kind = try arguments.choice("type", ["Disk", "CD", "Floppy"])
            let mode = try arguments.choice("mode", kind == "CD" ? ["RO", "RW"] : ["RW", "RO"])
            let record: [(name: String, value: WireValue)] = [
                ("VM", machine),
                ("VDI", disk ?? .string(ValueText.nullRef)),
                ("userdevice", .string(try await deviceNumber(context, machine))),
                ("bootable", .bool(try arguments.flag("bootable"))),
                ("mode", .string(mode)),
                ("type", .string(kind)),
                ("unpluggable", .bool(try arguments.flag("unpluggable", else: true))),
                ("empty", .bool(disk == nil)),
                ("other_config", .members([])),
                ("qos_algorithm_type", .string("")),
                ("qos_algorithm_params", .members([])),
            ]
            try await context.printUUID("VBD", try await context.call("VBD.create", .members(record)))
        },
        onObject("vbd-plug", "VBD", "plug", "Connects a device to its running virtual machine."),
        Command(
            "vbd-unplug", ["uuid"], optional: ["timeout", "force"],
            "Disconnects a device from its running virtual machine; force=true does not ask the guest."
        ) { context in
            let message = try context.arguments.flag("force") ? "VBD.unplug_force" : "VBD.unplug"
            try await context.call(message, try await context.object("VBD", named: "uuid"))
        },
        onObject("vbd-destroy", "VBD", "destroy", "Takes a device from a virtual machine; its disk stays."),
    ]

    /// Operations under way.
    static let task: [Command] = [
        onObject("task-cancel", "task", "cancel", "Asks an operation to stop.")
    ]

    /// `device=`, where `autodetect` means the first free one.
    static func deviceNumber(_ context: CommandContext, _ machine: WireValue) async throws -> String {
        let wanted = try context.arguments.required("device")
        guard wanted == "autodetect" else { return wanted }
        guard let first = try await freeDevices(context, machine).first else {
            throw CommandLineError.failed("There is no available device for this VM")
        }
        return first
    }

    /// What the server says may be used, or else the numbers that none of the machine's devices has.
    private static func freeDevices(_ context: CommandContext, _ machine: WireValue) async throws -> [String] {
        do {
            return try await context.call("VM.get_allowed_VBD_devices", machine).items?.compactMap(\.text) ?? []
        } catch let error as APIError where error.meansNoSuchCall {
            let taken = try await context.reader.store.all("VBD")
                .filter { $0.record.member("VM") == machine }
                .compactMap { $0.record.member("userdevice")?.text }
            return (0..<16).map(String.init).filter { !taken.contains($0) }
        }
    }
}
