import RPCCodec
import XenAPIClient

extension Command {
    /// Who may log in, and as what.
    static let access: [Command] = [
        Command("subject-add", ["subject-name"], "Lets a user or a group log in and prints the subject's uuid.") {
            context in
            let name = WireValue.string(try context.arguments.required("subject-name"))
            let identifier = try await context.call("auth.get_subject_identifier", name)
            let facts = try await context.call("auth.get_subject_information_from_identifier", identifier)
            let record: [(name: String, value: WireValue)] = [
                ("subject_identifier", identifier), ("other_config", facts),
            ]
            try await context.printUUID("subject", try await context.call("subject.create", .members(record)))
        },
        Command("subject-remove", ["subject-uuid"], "Lets a user or a group log in no more.") { context in
            try await context.call("subject.destroy", try await context.object("subject", named: "subject-uuid"))
        },
        changesRole("subject-role-add", "subject.add_to_roles", "Gives a subject a role."),
        changesRole("subject-role-remove", "subject.remove_from_roles", "Takes a role from a subject."),
        Command("user-password-change", ["new"], optional: ["old"], "Changes root's password.") { context in
            try await context.call(
                "session.change_password", .string(context.arguments["old"] ?? ""),
                .string(try context.arguments.required("new")))
        },
        Command("secret-create", ["value"], "Keeps a secret, such as a password that an SR needs; prints its uuid.") {
            context in
            let record: [(name: String, value: WireValue)] = [
                ("value", .string(try context.arguments.required("value"))), ("other_config", .members([])),
            ]
            try await context.printUUID("secret", try await context.call("secret.create", .members(record)))
        },
        onObject("secret-destroy", "secret", "destroy", "Forgets a secret."),
        Command(
            "audit-log-get", ["filename"], optional: ["since"],
            "Writes the log of all calls that changed something to a file."
        ) { context in
            let since = context.arguments["since"].map { [(name: "since", value: $0)] } ?? []
            _ = try await context.caller.download(
                from: "/audit_log", query: since, to: try context.arguments.required("filename"), onProgress: { _ in })
        },
    ]

    /// The role by `role-name=`, or `role-uuid=`.
    private static func changesRole(_ name: String, _ message: String, _ summary: String) -> Command {
        Command(name, ["uuid"], optional: ["role-name", "role-uuid"], summary) { context in
            let role: WireValue
            if let given = try await context.optionalObject("role", named: "role-uuid") {
                role = given
            } else {
                let wanted = try context.arguments.required("role-name")
                let found = try await context.call("role.get_by_name_label", .string(wanted)).items ?? []
                guard let first = found.first else { throw CommandLineError.failed("There is no role '\(wanted)'") }
                role = first
            }
            try await context.call(message, try await context.object("subject", named: "uuid"), role)
        }
    }
}
