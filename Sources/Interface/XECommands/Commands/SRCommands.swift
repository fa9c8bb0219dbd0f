import APITypes
import RPCCodec
import XenAPIClient

extension Command {
    /// Storage repositories.
    static let storageRepository: [Command] = [
        Command(
            "sr-create", ["name-label", "type"],
            optional: [
                "name-description", "host-uuid", "device-config:", "shared", "physical-size", "content-type",
                "sm-config:",
            ], flags: [.standard], "Makes a storage repository, connects it to a host and prints its uuid.",
            run: createSR),
        Command(
            "sr-introduce", ["name-label", "type", "uuid"], optional: ["name-description", "shared", "content-type"],
            "Makes an existing storage repository known; it still has to be connected."
        ) { context in
            let arguments = context.arguments
            let sr = try await context.call(
                "SR.introduce", .string(try arguments.required("uuid")),
                .string(try arguments.required("name-label")), .string(arguments["name-description"] ?? ""),
                .string(try arguments.required("type")), .string(arguments["content-type"] ?? ""),
                .bool(try arguments.flag("shared")), .members([]))
            try await context.printUUID("SR", sr)
        },
        Command(
            "sr-probe", ["type"], optional: ["host-uuid", "device-config:", "sm-config:"],
            "Prints, as XML, the storage repositories that a driver finds at a place."
        ) { context in
            let arguments = context.arguments
            context.printer.value(
                try await context.text(
                    "SR.probe", try await hostForSR(context), context.mapArgument("device-config"),
                    .string(try arguments.required("type")), context.mapArgument("sm-config")))
        },
        Command(
            "sr-probe-ext", ["type"], optional: ["host-uuid", "device-config:", "sm-config:"],
            "Prints the storage repositories, and the places for one, that a driver finds.", run: probeExtended),
        onObject("sr-update", "SR", "update", "Reads the space of a storage repository again."),
        onObject("sr-scan", "SR", "scan", "Brings the list of disks up to date with what the storage holds."),
        onObject("sr-forget", "SR", "forget", "Removes a storage repository from the database; its data stay."),
        onObject("sr-destroy", "SR", "destroy", "Destroys a storage repository and all that is on it."),
    ]

    /// Connections of storage repositories to hosts.
    static let hostConnection: [Command] = [
        Command(
            "pbd-create", ["host-uuid", "sr-uuid"], optional: ["device-config:"],
            "Describes how a host reaches a storage repository and prints the connection's uuid."
        ) { context in
            let record: [(name: String, value: WireValue)] = [
                ("host", try await context.object("host", named: "host-uuid")),
                ("SR", try await context.object("SR", named: "sr-uuid")),
                ("device_config", context.mapArgument("device-config")),
                ("other_config", .members([])),
            ]
            try await context.printUUID("PBD", try await context.call("PBD.create", .members(record)))
        },
        onObject("pbd-plug", "PBD", "plug", "Connects a host to a storage repository."),
        onObject("pbd-unplug", "PBD", "unplug", "Disconnects a host from a storage repository."),
        onObject("pbd-destroy", "PBD", "destroy", "Removes the description of a connection."),
    ]

    /// A command that takes a uuid and does one thing to the object.
    static func onObject(
        _ name: String, _ className: String, _ message: String, optional: [String] = [], _ summary: String
    ) -> Command {
        Command(name, ["uuid"], optional: optional, summary) { context in
            try await context.call("\(className).\(message)", try await context.object(className, named: "uuid"))
        }
    }

    private static let createSR: @Sendable (CommandContext) async throws -> Void = { context in
        let arguments = context.arguments
        let sr = try await context.call(
            "SR.create", try await hostForSR(context), context.mapArgument("device-config"),
            .int(Int64(try arguments.size("physical-size") ?? 0)), .string(try arguments.required("name-label")),
            .string(arguments["name-description"] ?? ""), .string(try arguments.required("type")),
            .string(arguments["content-type"] ?? ""), .bool(try arguments.flag("shared")),
            context.mapArgument("sm-config"))
        try await context.printUUID("SR", sr)
    }

    /// The host given, else the pool's coordinator.
    static func hostForSR(_ context: CommandContext) async throws -> WireValue {
        if let host = try await context.optionalObject("host", named: "host-uuid") { return host }
        guard let pool = try await context.reader.store.all("pool").first, let master = pool.record.member("master")
        else {
            throw APIError.internalError("the server has no pool")
        }
        return master
    }
}
