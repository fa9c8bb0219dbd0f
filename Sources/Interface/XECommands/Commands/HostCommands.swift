import RPCCodec
import XenAPIClient

extension Command {
    /// Hosts.
    static let host: [Command] = [
        onHosts("host-enable", "Lets virtual machines start on hosts.") { context, host in
            try await context.call("host.enable", host)
        },
        onHosts("host-disable", optional: ["auto-enable"], "Lets no virtual machine start on hosts.") { context, host in
            // Servers of before there was a choice take one parameter.
            guard context.arguments["auto-enable"] != nil else {
                try await context.call("host.disable", host)
                return
            }
            try await context.call("host.disable", host, .bool(try context.arguments.flag("auto-enable")))
        },
        onHosts(
            "host-evacuate", optional: ["network-uuid", "batch-size"], "Moves all running virtual machines off hosts."
        ) { context, host in
            let network = try await context.optionalObject("network", named: "network-uuid")
            guard network != nil || context.arguments["batch-size"] != nil else {
                try await context.call("host.evacuate", host)
                return
            }
            try await context.call(
                "host.evacuate", host, network ?? .string(ValueText.nullRef),
                .int(try context.arguments.integer("batch-size", else: 0)))
        },
        Command(
            "vdi-generate-config", ["host-uuid", "uuid"], flags: [.hidden], "Prints what a host attaches a disk by."
        ) { context in
            let host = try await context.object("host", named: "host-uuid")
            context.printer.value(
                try await context.text("VDI.generate_config", host, try await context.object("VDI", named: "uuid")))
        },
    ]

    private static func onHosts(
        _ name: String, optional: [String] = [], _ summary: String,
        operation: @escaping @Sendable (CommandContext, WireValue) async throws -> Void
    ) -> Command {
        Command(name, optional: optional, flags: [.selectsHosts], summary) { context in
            guard let command = Command.named(name) else { return }
            try await ObjectSelector.hosts(context, command).run { host in try await operation(context, host) }
        }
    }

    /// Networks of virtual machines.
    static let network: [Command] = [
        Command(
            "network-create", ["name-label"], optional: ["name-description", "MTU", "bridge", "managed"],
            "Makes a network and prints its uuid."
        ) { context in
            let arguments = context.arguments
            let record: [(name: String, value: WireValue)] = [
                ("name_label", .string(try arguments.required("name-label"))),
                ("name_description", .string(arguments["name-description"] ?? "")),
                ("MTU", .int(try arguments.integer("MTU", else: 1500))), ("bridge", .string(arguments["bridge"] ?? "")),
                ("managed", .bool(try arguments.flag("managed", else: true))),
                ("other_config", .members([])), ("tags", .array([])),
            ]
            try await context.printUUID("network", try await context.call("network.create", .members(record)))
        },
        onObject("network-destroy", "network", "destroy", "Removes a network that nothing uses."),
    ]
}
