import RPCCodec
import XenAPIClient

extension Command {
    /// Snapshots, clones and copies of virtual machines, and their end.
    static let machineTree: [Command] = [
        making(
            "vm-snapshot", optional: ["ignore-vdi-uuids"],
            "Keeps virtual machines' disks and settings as they are and prints the snapshots' uuids."
        ) { context, vm, name in
            var ignored: [WireValue] = []
            for uuid in (context.arguments["ignore-vdi-uuids"] ?? "").split(separator: ",") {
                ignored.append(.string(try await context.reference("VDI", uuid: String(uuid))))
            }
            return try await context.result(of: "VM.snapshot", vm, name, .array(ignored))
        },
        making(
            "vm-checkpoint", optional: [],
            "Keeps running virtual machines' disks, settings and memory as they are and prints the snapshots' uuids."
        ) { context, vm, name in
            try await context.result(of: "VM.checkpoint", vm, name)
        },
        making(
            "vm-clone", optional: [],
            "Makes virtual machines whose disks share others' data and prints their uuids.", includesTemplates: true
        ) { context, vm, name in
            try await context.result(of: "VM.clone", vm, name)
        },
        making(
            "vm-copy", optional: ["sr-uuid"], "Copies virtual machines with their disks and prints the copies' uuids.",
            includesTemplates: true
        ) { context, vm, name in
            let place = try await context.optionalObject("SR", named: "sr-uuid") ?? .string(ValueText.nullRef)
            return try await context.result(of: "VM.copy", vm, name, place)
        },
        Command(
            "snapshot-clone", ["new-name-label"], optional: ["uuid", "snapshot-uuid", "new-name-description"],
            flags: [.standard], "Makes a virtual machine template of a snapshot and prints its uuid."
        ) { context in
            let name = WireValue.string(try context.arguments.required("new-name-label"))
            try await describe(context, try await context.result(of: "VM.clone", try await snapshot(context), name))
        },
        Command(
            "snapshot-copy", ["new-name-label"],
            optional: ["uuid", "snapshot-uuid", "new-name-description", "sr-uuid"],
            flags: [.standard], "Copies a snapshot with its disks to a template and prints its uuid."
        ) { context in
            let name = WireValue.string(try context.arguments.required("new-name-label"))
            let place = try await context.optionalObject("SR", named: "sr-uuid") ?? .string(ValueText.nullRef)
            try await describe(
                context, try await context.result(of: "VM.copy", try await snapshot(context), name, place))
        },
        Command(
            "snapshot-revert", optional: ["uuid", "snapshot-uuid"], flags: [.standard],
            "Makes a virtual machine what it was when a snapshot was made; a running one is ended."
        ) { context in
            try await context.operate("VM.revert", try await snapshot(context))
        },
        Command(
            "snapshot-destroy", optional: ["uuid", "snapshot-uuid"], "Removes a snapshot; its disks stay."
        ) { context in
            try await context.call("VM.destroy", try await snapshot(context))
        },
        Command(
            "snapshot-uninstall", optional: ["uuid", "snapshot-uuid", "force"], flags: [.standard],
            "Removes a snapshot with its disks, after a question unless force=true."
        ) { context in
            try await MachineRemoval(context: context).run([try await snapshot(context)])
        },
        Command(
            "template-uninstall", ["template-uuid"], optional: ["force"], flags: [.standard],
            "Removes a template with its disks, after a question unless force=true."
        ) { context in
            try await MachineRemoval(context: context).run([try await context.object("VM", named: "template-uuid")])
        },
        Command(
            "vm-uninstall", optional: ["force"], flags: [.standard, .selectsVMs],
            "Ends and removes virtual machines with their snapshots and disks, after a question unless force=true."
        ) { context in
            guard let command = Command.named("vm-uninstall") else { return }
            let chosen = try await VMSelector(context: context, command: command).select()
            let snapshots = chosen.flatMap { $0.record.member("snapshots")?.items ?? [] }
            try await MachineRemoval(context: context).run(chosen.map { .string($0.ref) } + snapshots)
        },
    ]

    /// A command that makes a machine, `new-name-label`, of each that its filters choose.
    private static func making(
        _ name: String, optional: [String], _ summary: String, includesTemplates: Bool = false,
        make: @escaping @Sendable (CommandContext, _ vm: WireValue, _ name: WireValue) async throws -> WireValue
    ) -> Command {
        Command(
            name, ["new-name-label"], optional: ["new-name-description", "progress"] + optional,
            flags: [.standard, .selectsVMs], summary
        ) { context in
            guard let command = Command.named(name) else { return }
            let label = WireValue.string(try context.arguments.required("new-name-label"))
            let selector = VMSelector(context: context, command: command, includesTemplates: includesTemplates)
            try await selector.run { vm in try await describe(context, try await make(context, vm, label)) }
        }
    }

    /// Gives the new machine its description, and prints its uuid.
    private static func describe(_ context: CommandContext, _ vm: WireValue) async throws {
        if let text = context.arguments["new-name-description"] {
            try await context.call("VM.set_name_description", vm, .string(text))
        }
        try await context.printUUID("VM", vm)
    }

    /// `snapshot-uuid=` or `uuid=`.
    static func snapshot(_ context: CommandContext) async throws -> WireValue {
        let name = context.arguments["snapshot-uuid"] == nil ? "uuid" : "snapshot-uuid"
        return try await context.object("VM", named: name)
    }
}

extension CommandContext {
    /// The value of a message that may take long: with `--progress` as a task whose progress is shown.
    func result(of method: String, _ parameters: WireValue...) async throws -> WireValue {
        guard try arguments.flag("progress") else { return try await caller.call(method, parameters) }
        let spinner = OperationSpinner(printer.output)
        defer { spinner.finish() }
        return .string(try await caller.runTask(method, parameters) { spinner.update($0.progress) })
    }
}

/// The end of machines with the disks that were made for them.
private struct MachineRemoval {
    let context: CommandContext

    func run(_ machines: [WireValue]) async throws {
        var lines: [String] = []
        var disks: [WireValue] = []
        for vm in machines {
            let record = try await context.call("VM.get_record", vm)
            lines.append("VM : \(text(record, "uuid")) (\(text(record, "name_label")))")
            for drive in record.member("VBDs")?.items ?? [] {
                guard let disk = try await ownDisk(drive), !disks.contains(disk) else { continue }
                let content = try await context.call("VDI.get_record", disk)
                lines.append("VDI: \(text(content, "uuid")) (\(text(content, "name_label")))")
                disks.append(disk)
            }
        }
        if try !context.arguments.flag("force") {
            context.printer.message("The following items are about to be destroyed")
            for line in lines { context.printer.message(line) }
            guard context.printer.output.ask("Type 'yes' to continue") == "yes" else {
                throw CommandLineError.failed("Nothing was destroyed. Answer yes, or give force=true")
            }
        }
        for vm in machines {
            if try await context.text("VM.get_power_state", vm) != "Halted" {
                try await context.call("VM.hard_shutdown", vm)
            }
            try await context.call("VM.destroy", vm)
        }
        for disk in disks { try await context.call("VDI.destroy", disk) }
        context.printer.message("All objects destroyed")
    }

    /// The disk in a drive that says that it goes with its machine; nil for all others.
    private func ownDisk(_ drive: WireValue) async throws -> WireValue? {
        let record = try await context.call("VBD.get_record", drive)
        guard record.member("type")?.text == "Disk", record.member("empty") != .bool(true),
            record.member("other_config")?.member("owner") != nil, let disk = record.member("VDI"),
            disk.text != ValueText.nullRef
        else { return nil }
        return disk
    }

    private func text(_ record: WireValue, _ name: String) -> String { record.member(name)?.text ?? "" }
}
