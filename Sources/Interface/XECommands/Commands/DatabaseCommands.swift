import XenAPIClient

extension Command {
    /// The pool's database as a file.
    static let poolDatabase: [Command] = [
        Command(
            "pool-dump-database", ["file-name"], optional: ["progress"],
            "Writes a copy of the pool's database to a new file. It holds secrets: keep it safe."
        ) { context in
            let file = try context.arguments.required("file-name")
            let display = try TransferDisplay(context, label: "Dumping", onTerminal: false)
            try await withTransferTask(context, "pool-dump-database", display) { task in
                try await context.caller.download(
                    from: "/pool/xmldbdump", query: [(name: "task_id", value: task)], to: file,
                    confirm: { _ = try await context.caller.waitForTask(task).value() }
                ) { done in display.update(done: done, total: 0) }
            }
        },
        Command(
            "pool-restore-database", ["file-name"], optional: ["dry-run", "progress"],
            "Checks a copy of the pool's database and, unless dry-run=true, uses it from the next start of gantryd on."
        ) { context in
            let file = try context.arguments.required("file-name")
            let dryRun = try context.arguments.flag("dry-run")
            let display = try TransferDisplay(context, label: "Restoring", onTerminal: false)
            try await withTransferTask(context, "pool-restore-database", display) { task in
                try await context.caller.upload(
                    file: file, to: "/pool/xmldbdump",
                    query: [(name: "dry_run", value: String(dryRun)), (name: "task_id", value: task)]
                ) { done, total in display.update(done: done, total: total) }
            }
        },
    ]
}
