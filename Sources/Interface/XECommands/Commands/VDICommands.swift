import RPCCodec
import XenAPIClient

extension Command {
    /// Disks.
    static let disk: [Command] = [
        Command(
            "vdi-create", ["sr-uuid", "name-label", "virtual-size"],
            optional: ["sm-config:", "sharable", "tags:", "type"],
            "Makes a disk and prints its uuid; sm-config:image-format= chooses its format."
        ) { context in
            let arguments = context.arguments
            let record: [(name: String, value: WireValue)] = [
                ("name_label", .string(try arguments.required("name-label"))),
                ("name_description", .string("")),
                ("SR", try await context.object("SR", named: "sr-uuid")),
                ("virtual_size", .int(Int64(try arguments.size("virtual-size") ?? 0))),
                ("type", .string(try arguments.choice("type", diskTypes))),
                ("sharable", .bool(try arguments.flag("sharable"))),
                ("read_only", .bool(false)),
                ("other_config", .members([])),
                ("xenstore_data", .members([])),
                ("sm_config", context.mapArgument("sm-config")),
                ("tags", .array(arguments.map("tags").map { .string($0.name) })),
            ]
            try await context.printUUID("VDI", try await context.call("VDI.create", .members(record)))
        },
        onObject("vdi-destroy", "VDI", "destroy", "Destroys a disk."),
        Command(
            "vdi-introduce", ["uuid", "sr-uuid", "type", "location"],
            optional: [
                "name-description", "sharable", "read-only", "managed", "other-config:", "xenstore-data:",
                "sm-config:", "name-label",
            ], "Makes a disk that a storage repository holds known and prints its uuid."
        ) { context in
            let arguments = context.arguments
            let none = WireValue.string(ValueText.nullRef)
            let disk = try await context.call(
                "VDI.introduce", .string(try arguments.required("uuid")), .string(arguments["name-label"] ?? ""),
                .string(arguments["name-description"] ?? ""), try await context.object("SR", named: "sr-uuid"),
                .string(try arguments.required("type")), .bool(try arguments.flag("sharable")),
                .bool(try arguments.flag("read-only")), context.mapArgument("other-config"),
                .string(try arguments.required("location")), context.mapArgument("xenstore-data"),
                context.mapArgument("sm-config"), .bool(try arguments.flag("managed", else: true)), .int(0), .int(0),
                none, .bool(false), .string("19700101T00:00:00Z"), none)
            try await context.printUUID("VDI", disk)
        },
        onObject("vdi-update", "VDI", "update", "Reads a disk's size and other facts from its storage again."),
        onObject("vdi-forget", "VDI", "forget", "Removes a disk from the database; its data stay."),
        Command("vdi-resize", ["uuid", "disk-size"], optional: ["online"], "Makes a disk larger.") { context in
            let size = WireValue.int(Int64(try context.arguments.size("disk-size") ?? 0))
            let disk = try await context.object("VDI", named: "uuid")
            if try context.arguments.flag("online") {
                do {
                    try await context.call("VDI.resize_online", disk, size)
                    return
                } catch let error as APIError where error.code == "MESSAGE_REMOVED" || error.meansNoSuchCall {
                    // Servers of today do both by one message.
                }
            }
            try await context.call("VDI.resize", disk, size)
        },
        onObject("vdi-enable-cbt", "VDI", "enable_cbt", "Begins to track which blocks of a disk change."),
        onObject("vdi-disable-cbt", "VDI", "disable_cbt", "Ends the tracking of a disk's changes."),
        onObject(
            "vdi-data-destroy", "VDI", "data_destroy", "Destroys a snapshot's data and keeps what tells of its changes."
        ),
        Command(
            "vdi-list-changed-blocks", ["vdi-from-uuid", "vdi-to-uuid"],
            "Prints the blocks that differ between two disks as a bitmap in base64."
        ) { context in
            let from = try await context.object("VDI", named: "vdi-from-uuid")
            context.printer.value(
                try await context.text(
                    "VDI.list_changed_blocks", from, try await context.object("VDI", named: "vdi-to-uuid")))
        },
        Command(
            "vdi-snapshot", ["uuid"], optional: ["driver-params-"],
            "Keeps a disk's content as it is and prints the snapshot's uuid."
        ) { context in
            let snapshot = try await context.call(
                "VDI.snapshot", try await context.object("VDI", named: "uuid"), context.mapArgument("driver-params"))
            try await context.printUUID("VDI", snapshot)
        },
        Command(
            "vdi-clone", ["uuid"], optional: ["driver-params-", "new-name-label", "new-name-description"],
            "Makes a disk that shares another's data; prints the clone's uuid."
        ) { context in
            let clone = try await context.call(
                "VDI.clone", try await context.object("VDI", named: "uuid"), context.mapArgument("driver-params"))
            for (argument, message) in [
                ("new-name-label", "VDI.set_name_label"), ("new-name-description", "VDI.set_name_description"),
            ] {
                if let text = context.arguments[argument] { try await context.call(message, clone, .string(text)) }
            }
            try await context.printUUID("VDI", clone)
        },
        Command(
            "vdi-copy", ["uuid"], optional: ["sr-uuid", "base-vdi-uuid", "into-vdi-uuid"],
            "Copies a disk to a storage repository or into another disk and prints the copy's uuid."
        ) { context in
            let none = WireValue.string(ValueText.nullRef)
            let copy = try await context.call(
                "VDI.copy", try await context.object("VDI", named: "uuid"),
                try await context.optionalObject("SR", named: "sr-uuid") ?? none,
                try await context.optionalObject("VDI", named: "base-vdi-uuid") ?? none,
                try await context.optionalObject("VDI", named: "into-vdi-uuid") ?? none)
            try await context.printUUID("VDI", copy)
        },
        Command(
            "vdi-import", ["uuid", "filename"], optional: ["format", "progress"],
            "Fills a disk from a file in the format raw, vhd or qcow2.", run: importDisk),
        Command(
            "vdi-export", ["uuid", "filename"], optional: ["format", "base", "progress"],
            "Writes a disk to a new file in the format raw, vhd or qcow2.", run: exportDisk),
    ]

    private static let imageFormats = ["raw", "vhd", "qcow2"]

    private static let diskTypes = [
        "user", "system", "ephemeral", "suspend", "crashdump", "ha_statefile", "metadata", "redo_log", "rrd",
        "pvs_cache", "cbt_metadata",
    ]

    private static let importDisk: @Sendable (CommandContext) async throws -> Void = { context in
        let disk = try await context.text("VDI.get_by_uuid", .string(try context.arguments.required("uuid")))
        let file = try context.arguments.required("filename")
        let format = try context.arguments.choice("format", imageFormats)
        let query = [(name: "vdi", value: disk), (name: "format", value: format)]
        let display = try TransferDisplay(context, label: "Importing", onTerminal: false)
        try await withTransferTask(context, "vdi-import", display) { task in
            try await context.caller.upload(
                file: file, to: "/import_raw_vdi", query: query + [(name: "task_id", value: task)]
            ) { done, total in display.update(done: done, total: total) }
        }
    }

    private static let exportDisk: @Sendable (CommandContext) async throws -> Void = { context in
        let disk = try await context.text("VDI.get_by_uuid", .string(try context.arguments.required("uuid")))
        let file = try context.arguments.required("filename")
        let format = try context.arguments.choice("format", imageFormats)
        let base = try await context.optionalObject("VDI", named: "base")?.text
        let query =
            [(name: "vdi", value: disk), (name: "format", value: format)]
            + (base.map { [(name: "base", value: $0)] } ?? [])
        // Only a raw image is as long as its disk; the length of the others shows at the end.
        let size = format == "raw" ? try await context.text("VDI.get_virtual_size", .string(disk)) : ""
        let total = UInt64(size) ?? 0
        let display = try TransferDisplay(context, label: "Exporting", onTerminal: false)
        try await withTransferTask(context, "vdi-export", display) { task in
            try await context.caller.download(
                from: "/export_raw_vdi", query: query + [(name: "task_id", value: task)], to: file,
                // The body may end after a failure, too: the server's task says whether the image is whole.
                confirm: { _ = try await context.caller.waitForTask(task).value() }
            ) { done in display.update(done: done, total: total) }
        }
    }

    /// Runs a transfer inside a task of its own: its outcome, not the HTTP status, says whether the transfer succeeded, and
    /// what the result is.
    @discardableResult
    static func withTransferTask(
        _ context: CommandContext, _ label: String, _ display: TransferDisplay,
        _ transfer: @escaping @Sendable (_ task: String) async throws -> String?
    ) async throws -> WireValue {
        let task = try await context.text("task.create", .string(label), .string(""))
        let result: WireValue
        do {
            result = try await display.showing {
                do {
                    _ = try await transfer(task)
                } catch let error as ConnectionError {
                    try await throwReason(of: task, context)
                    throw error
                }
                return try await context.caller.waitForTask(task).wireValue()
            }
        } catch {
            _ = try? await context.call("task.destroy", .string(task))
            throw error
        }
        _ = try? await context.call("task.destroy", .string(task))
        return result
    }

    /// When the server broke a transfer off, its task knows why, at the latest a moment later.
    private static func throwReason(of task: String, _ context: CommandContext) async throws {
        for _ in 0..<20 {
            guard let record = try? await context.call("task.get_record", .string(task)) else { return }
            let status = TaskStatus(ref: task, record: record)
            if status.isFinished {
                _ = try status.value()
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
