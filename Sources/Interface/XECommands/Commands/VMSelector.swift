import RPCCodec
import XenAPIClient

/// Chooses the virtual machines a command works on: `uuid=`, `vm=` (name or uuid) and filters on any field.
struct VMSelector: Sendable {
    let context: CommandContext
    let command: Command
    /// The virtual machine that a host runs in may be chosen.
    var includesControlDomains = false
    var includesTemplates = false

    private var objects: ObjectSelector {
        let (domains, templates) = (includesControlDomains, includesTemplates)
        return ObjectSelector(context: context, command: command, family: .vm, noun: "VMs") { record in
            if record.member("is_a_template") == .bool(true), !templates { return false }
            return domains || record.member("is_control_domain") != .bool(true)
        }
    }

    /// At least one machine; several only with `--multiple`.
    func select() async throws -> [(ref: String, record: WireValue)] { try await objects.select() }

    /// Runs `operation` on each machine chosen.
    func run(_ operation: @Sendable (_ ref: WireValue) async throws -> Void) async throws {
        try await objects.run(operation)
    }
}
