import RPCCodec
import XenAPIClient

extension Command {
    /// Virtual machines as files.
    static let machineFile: [Command] = [
        Command(
            "vm-export", ["filename"],
            optional: [
                "preserve-power-state", "compress", "metadata", "excluded-device-types", "include-snapshots",
                "progress",
            ], flags: [.standard, .selectsVMs],
            "Writes what is known of a virtual machine, without its disks, to a new file; needs metadata=true.",
            run: exportMachine),
        Command(
            "vm-import",
            optional: [
                "filename", "preserve", "sr-uuid", "force", "host-username", "host-password", "type", "remote-config",
                "dry-run", "metadata", "url", "vdi:", "progress",
            ], flags: [.standard],
            "Makes the virtual machines of such a file, whose disks are there, and prints their uuids; needs metadata=true.",
            run: importMachines),
    ]

    private static func requireMetadata(_ context: CommandContext) throws {
        guard try context.arguments.flag("metadata") else {
            throw CommandLineError.failed("Files with disks are not supported: give metadata=true")
        }
    }

    private static let exportMachine: @Sendable (CommandContext) async throws -> Void = { context in
        try requireMetadata(context)
        let file = try context.arguments.required("filename")
        guard let command = Command.named("vm-export") else { return }
        let chosen = try await VMSelector(context: context, command: command).select()
        guard let machine = chosen.first, chosen.count == 1 else {
            throw CommandLineError.failed("Multiple matches found. One file holds one VM")
        }
        let snapshots = try context.arguments.flag("include-snapshots", else: true)
        var query = [(name: "ref", value: machine.ref), (name: "export_snapshots", value: String(snapshots))]
        if let types = context.arguments["excluded-device-types"] {
            query.append((name: "excluded_device_types", value: types))
        }
        let display = try TransferDisplay(context, label: "Exporting", onTerminal: false)
        try await withTransferTask(context, "vm-export", display) { [query] task in
            try await context.caller.download(
                from: "/export_metadata", query: query + [(name: "task_id", value: task)], to: file,
                confirm: { _ = try await context.caller.waitForTask(task).value() }
            ) { done in display.update(done: done, total: 0) }
        }
    }

    private static let importMachines: @Sendable (CommandContext) async throws -> Void = { context in
        try requireMetadata(context)
        let file = try context.arguments.required("filename")
        var query: [(name: String, value: String)] = []
        for (argument, name) in [("preserve", "restore"), ("force", "force"), ("dry-run", "dry_run")] {
            query.append((name: name, value: String(try context.arguments.flag(argument))))
        }
        let display = try TransferDisplay(context, label: "Importing", onTerminal: false)
        let made = try await withTransferTask(context, "vm-import", display) { [query] task in
            try await context.caller.upload(
                file: file, to: "/import_metadata", query: query + [(name: "task_id", value: task)]
            ) { done, total in display.update(done: done, total: total) }
        }
        guard case .array(let machines) = made, try !context.arguments.flag("dry-run") else { return }
        for machine in machines { try await context.printUUID("VM", machine) }
    }
}
