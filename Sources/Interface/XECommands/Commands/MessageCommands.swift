import RPCCodec
import XenAPIClient

extension Command {
    /// Messages to the administrator.
    static let message: [Command] = [
        Command(
            "message-create", ["name", "priority", "body"], optional: messageOwnerNames,
            "Writes a message about an object and prints its uuid."
        ) { context in
            let arguments = context.arguments
            let given = messageOwners.filter { arguments[$0.parameter] != nil }
            guard let owner = given.first, given.count == 1 else {
                let names = messageOwnerNames.joined(separator: ", ")
                throw CommandLineError.failed("give one of \(names): the object of the message")
            }
            let message = try await context.call(
                "message.create", .string(try arguments.required("name")), .int(try arguments.integer("priority")),
                .string(owner.kind), .string(try arguments.required(owner.parameter)),
                .string(try arguments.required("body")))
            let record = try await context.call("message.get_record", message)
            context.printer.value(record.member("uuid")?.text ?? "")
        },
        Command("message-destroy", optional: ["uuid", "uuids"], "Removes messages: uuid= one, uuids=a,b several.") {
            context in
            let one = context.arguments["uuid"].map { [$0] }
            let wanted = one ?? context.arguments["uuids"].map { CommandArguments.list($0) }
            guard let wanted, !wanted.isEmpty else { throw CommandLineError.missingParameter("uuid") }
            var messages: [WireValue] = []
            for uuid in wanted { messages.append(.string(try await context.reference("message", uuid: uuid))) }
            if let only = messages.first, messages.count == 1 {
                try await context.call("message.destroy", only)
            } else {
                try await context.call("message.destroy_many", .array(messages))
            }
        },
        Command(
            "message-destroy-all", optional: ["before", "after", "priority"],
            "Removes all messages, or those before or after a time (20260131T12:00:00Z) or of one priority."
        ) { context in
            let filters = ["before", "after", "priority"].compactMap { name in
                context.arguments[name].map { (name: name, value: WireValue.string($0)) }
            }
            try await context.call("message.destroy_all", .members(filters))
        },
    ]

    private static let messageOwnerNames = messageOwners.map { $0.parameter }
    private static let messageOwners = [
        (parameter: "vm-uuid", kind: "VM"), (parameter: "host-uuid", kind: "Host"), (parameter: "sr-uuid", kind: "SR"),
        (parameter: "pool-uuid", kind: "Pool"),
    ]
}
