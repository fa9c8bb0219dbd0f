import APITypes
import RPCCodec
import XenAPIClient

/// Chooses the virtual machines a command works on: `uuid=`, `vm=` (name or uuid) and filters on any field.
struct VMSelector: Sendable {
    let context: CommandContext
    /// Parameters of the command itself, which select nothing.
    let command: Command
    /// The virtual machine that a host runs in may be chosen.
    var includesControlDomains = false
    var includesTemplates = false

    /// At least one machine; several only with `--multiple`.
    func select() async throws -> [(ref: String, record: WireValue)] {
        let own = Set(command.optional + command.required)
        let parameters = context.arguments.parameters.filter { parameter in
            !CommandArguments.reserved.contains(parameter.name) && !own.contains(parameter.name)
                && parameter.name != "vm"
                // Maps, as `vdi:UUID`.
                && !own.contains(String(parameter.name.prefix { $0 != ":" }) + ":")
        }
        let filter = try RecordFilter(parameters, family: .vm, withDefaults: false, strict: true)
        var chosen: [(ref: String, record: WireValue)] = []
        for (ref, record) in try await context.reader.store.all("VM") where isCandidate(record) {
            if let wanted = context.arguments["vm"], !isNamed(wanted, record) { continue }
            if try await filter.matches(ref, record, context.reader) { chosen.append((ref, record)) }
        }
        if chosen.isEmpty { throw CommandLineError.failed("No matching VMs found") }
        if chosen.count > 1, try !context.arguments.flag("multiple") {
            throw CommandLineError.failed("Multiple matches found. --multiple required to complete the operation")
        }
        return chosen
    }

    /// Runs `operation` on each machine chosen. One alone fails as any command does; of several, each failure is a line
    /// of the output and the others go on.
    func run(_ operation: @Sendable (_ ref: WireValue) async throws -> Void) async throws {
        let chosen = try await select()
        if let only = chosen.first, chosen.count == 1 {
            try await operation(.string(only.ref))
            return
        }
        for (ref, record) in chosen {
            do {
                try await operation(.string(ref))
            } catch let error as APIError {
                let uuid = record.member("uuid")?.text ?? ref
                context.printer.message("operation failed on \(uuid): \(ErrorReport.sentence(of: error))")
            }
        }
    }

    private func isCandidate(_ record: WireValue) -> Bool {
        if record.member("is_a_template") == .bool(true), !includesTemplates { return false }
        return includesControlDomains || record.member("is_control_domain") != .bool(true)
    }

    private func isNamed(_ wanted: String, _ record: WireValue) -> Bool {
        record.member("name_label")?.text == wanted || record.member("uuid")?.text == wanted
    }
}
