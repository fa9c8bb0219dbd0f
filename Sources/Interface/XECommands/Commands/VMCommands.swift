import RPCCodec
import XenAPIClient

extension Command {
    /// Virtual machines.
    static let machine: [Command] = [
        Command(
            "vm-create", ["name-label"], optional: ["name-description", "memory", "vcpus"], flags: [.hidden],
            "Makes an empty virtual machine without disks and prints its uuid."
        ) { context in
            try await context.printUUID("VM", try await context.call("VM.create", try blankMachine(context.arguments)))
        },
        onMachines("vm-start", optional: ["force", "on", "paused", "progress"], "Starts virtual machines.") {
            context, vm in
            let paused = WireValue.bool(try context.arguments.flag("paused"))
            let force = WireValue.bool(try context.arguments.flag("force"))
            if let host = try await chosenHost(context) {
                try await context.operate("VM.start_on", vm, host, paused, force)
            } else {
                try await context.operate("VM.start", vm, paused, force)
            }
        },
        onMachines(
            "vm-shutdown", optional: ["force", "progress"], "Shuts virtual machines down; force=true pulls the plug."
        ) {
            context, vm in
            let force = try context.arguments.flag("force")
            try await context.operate(force ? "VM.hard_shutdown" : "VM.clean_shutdown", vm)
        },
        onMachines("vm-reboot", optional: ["force"], "Restarts virtual machines.") { context, vm in
            let force = try context.arguments.flag("force")
            try await context.call(force ? "VM.hard_reboot" : "VM.clean_reboot", vm)
        },
        onMachines("vm-pause", optional: [], "Stops the processors of virtual machines.") { context, vm in
            try await context.call("VM.pause", vm)
        },
        onMachines("vm-unpause", optional: [], "Lets paused virtual machines go on.") { context, vm in
            try await context.call("VM.unpause", vm)
        },
        onMachines(
            "vm-suspend", optional: ["progress"], "Ends virtual machines and keeps their memory on a disk."
        ) {
            context, vm in
            try await context.operate("VM.suspend", vm)
        },
        onMachines("vm-resume", optional: ["force", "on", "progress"], "Lets suspended virtual machines go on.") {
            context, vm in
            let force = WireValue.bool(try context.arguments.flag("force"))
            if let host = try await chosenHost(context) {
                try await context.operate("VM.resume_on", vm, host, .bool(false), force)
            } else {
                try await context.operate("VM.resume", vm, .bool(false), force)
            }
        },
        onMachines(
            "vm-reset-powerstate", optional: ["force"], "Makes the database say that virtual machines are halted."
        ) { context, vm in
            try await resetPowerState(context, vm)
        },
        Command(
            "snapshot-reset-powerstate", optional: ["uuid", "snapshot-uuid", "force"], flags: [.standard],
            "Makes the database say that a snapshot is of a halted virtual machine."
        ) { context in
            try await resetPowerState(context, try await snapshot(context))
        },
        onObject("vm-destroy", "VM", "destroy", "Removes a halted virtual machine; its disks stay."),
    ]

    /// A command on the machines its filters choose.
    static func onMachines(
        _ name: String, _ required: [String] = [], optional: [String], _ summary: String,
        operation: @escaping @Sendable (CommandContext, WireValue) async throws -> Void
    ) -> Command {
        Command(name, required, optional: optional, flags: [.standard, .selectsVMs], summary) { context in
            guard let command = Command.named(name) else { return }
            let selector = VMSelector(context: context, command: command, includesControlDomains: name == "vm-start")
            try await selector.run { vm in try await operation(context, vm) }
        }
    }

    /// Whoever is wrong about the machine being halted has two of it.
    private static func resetPowerState(_ context: CommandContext, _ machine: WireValue) async throws {
        guard try context.arguments.flag("force") else {
            throw CommandLineError.failed(
                "a machine that still runs would be started a second time and destroy its disks: make sure that it does not,"
                    + " and add --force")
        }
        try await context.call("VM.power_state_reset", machine)
    }

    /// `on=`: a host by its name or uuid.
    private static func chosenHost(_ context: CommandContext) async throws -> WireValue? {
        guard let wanted = context.arguments["on"] else { return nil }
        for (ref, record) in try await context.reader.store.all("host")
        where ["name_label", "hostname", "uuid"].contains(where: { record.member($0)?.text == wanted }) {
            return .string(ref)
        }
        throw CommandLineError.failed("No matching hosts found")
    }

    /// A machine that can be started as it is: firmware that boots the first disk, one processor, 256 MiB unless told.
    private static func blankMachine(_ arguments: CommandArguments) throws -> WireValue {
        let memory = WireValue.int(Int64(try arguments.size("memory") ?? 256 << 20))
        guard let processors = Int64(arguments["vcpus"] ?? "1"), processors > 0 else {
            throw CommandLineError.failed("Failed to parse parameter 'vcpus': expecting a positive integer")
        }
        let none = WireValue.string("")
        let empty = WireValue.members([])
        return .members([
            ("name_label", .string(try arguments.required("name-label"))),
            ("name_description", .string(arguments["name-description"] ?? "")),
            ("user_version", .int(1)), ("is_a_template", .bool(false)),
            ("affinity", .string(ValueText.nullRef)),
            ("memory_target", memory), ("memory_static_max", memory), ("memory_dynamic_max", memory),
            ("memory_dynamic_min", memory), ("memory_static_min", .int(0)),
            ("VCPUs_params", empty), ("VCPUs_max", .int(processors)), ("VCPUs_at_startup", .int(processors)),
            ("actions_after_shutdown", .string("destroy")), ("actions_after_reboot", .string("restart")),
            ("actions_after_crash", .string("destroy")),
            ("PV_bootloader", none), ("PV_kernel", none), ("PV_ramdisk", none), ("PV_args", none),
            ("PV_bootloader_args", none), ("PV_legacy_args", none),
            ("HVM_boot_policy", .string("BIOS order")), ("HVM_boot_params", .members([("order", .string("cd"))])),
            ("HVM_shadow_multiplier", .double(1)), ("platform", empty), ("PCI_bus", none), ("other_config", empty),
            ("recommendations", none), ("xenstore_data", empty), ("ha_always_run", .bool(false)),
            ("ha_restart_priority", none), ("tags", .array([])), ("blocked_operations", empty),
            ("start_delay", .int(0)), ("shutdown_delay", .int(0)), ("order", .int(0)),
            ("version", .int(0)), ("hardware_platform_version", .int(0)), ("has_vendor_device", .bool(false)),
            ("domain_type", .string("hvm")),
        ])
    }
}
