import RPCCodec
import XenAPIClient

extension Command {
    /// What is measured of virtual machines, hosts and storage repositories: the same four commands for each.
    static let dataSource: [Command] = [
        dataSources(of: .vm, .selectsVMs) { context, command, body in
            try await VMSelector(context: context, command: command, includesControlDomains: true).run(body)
        },
        dataSources(of: .host, .selectsHosts) { try await ObjectSelector.hosts($0, $1).run($2) },
        dataSources(of: .sr, .selectsSRs) { try await ObjectSelector.repositories($0, $1).run($2) },
    ].flatMap { $0 }

    private static func dataSources(
        of family: Family, _ flag: Flag,
        on objects:
            @escaping @Sendable (
                CommandContext, Command, @Sendable (_ ref: WireValue) async throws -> Void
            ) async throws -> Void
    ) -> [Command] {
        func command(
            _ word: String, _ required: [String], _ summary: String,
            _ run: @escaping @Sendable (CommandContext, WireValue) async throws -> Void
        ) -> Command {
            let name = "\(family.name)-data-source-\(word)"
            return Command(name, required, flags: [flag], summary) { context in
                guard let command = Command.named(name) else { return }
                try await objects(context, command) { object in try await run(context, object) }
            }
        }
        let className = family.className
        return [
            command("list", [], "Lists what can be measured.") { context, object in
                for source in try await context.call("\(className).get_data_sources", object).items ?? [] {
                    context.printer.record(
                        (source.members ?? []).map { ($0.name, ValueText.of($0.value, styles: [])) })
                }
            },
            command("query", ["data-source"], "Prints what was measured last.") { context, object in
                let source = WireValue.string(try context.arguments.required("data-source"))
                let value = try await context.call("\(className).query_data_source", object, source)
                context.printer.value(ValueText.of(value, styles: []))
            },
            command("record", ["data-source"], "Begins to keep what is measured.") { context, object in
                let source = WireValue.string(try context.arguments.required("data-source"))
                try await context.call("\(className).record_data_source", object, source)
            },
            command("forget", ["data-source"], "Forgets what was measured.") { context, object in
                let source = WireValue.string(try context.arguments.required("data-source"))
                try await context.call("\(className).forget_data_source_archives", object, source)
            },
        ]
    }
}
