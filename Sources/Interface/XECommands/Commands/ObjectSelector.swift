import APITypes
import RPCCodec
import XenAPIClient

/// Chooses the objects a command works on: `uuid=`, the family's own parameter (`vm=`, `host=`, `sr=`: name or uuid), and
/// filters on any field.
struct ObjectSelector: Sendable {
    let context: CommandContext
    /// Parameters of the command itself, which select nothing.
    let command: Command
    let family: Family
    /// The objects' name in messages, in the plural.
    let noun: String
    /// Members of the record that the family's own parameter is compared with.
    var names = ["name_label", "uuid"]
    var isCandidate: @Sendable (_ record: WireValue) -> Bool = { _ in true }

    static func hosts(_ context: CommandContext, _ command: Command) -> ObjectSelector {
        ObjectSelector(
            context: context, command: command, family: .host, noun: "hosts", names: ["name_label", "hostname", "uuid"])
    }

    static func repositories(_ context: CommandContext, _ command: Command) -> ObjectSelector {
        ObjectSelector(context: context, command: command, family: .sr, noun: "SRs")
    }

    /// At least one object; several only with `--multiple`.
    func select() async throws -> [(ref: String, record: WireValue)] {
        let own = Set(command.optional + command.required)
        let parameters = context.arguments.parameters.filter { parameter in
            !CommandArguments.reserved.contains(parameter.name) && !own.contains(parameter.name)
                && parameter.name != family.name
                // Maps, as `vdi:UUID`.
                && !own.contains(String(parameter.name.prefix { $0 != ":" }) + ":")
        }
        let filter = try RecordFilter(parameters, family: family, withDefaults: false, strict: true)
        var chosen: [(ref: String, record: WireValue)] = []
        for (ref, record) in try await context.reader.store.all(family.className) where isCandidate(record) {
            if let wanted = context.arguments[family.name],
                !names.contains(where: { record.member($0)?.text == wanted })
            {
                continue
            }
            if try await filter.matches(ref, record, context.reader) { chosen.append((ref, record)) }
        }
        if chosen.isEmpty { throw CommandLineError.failed("No matching \(noun) found") }
        if chosen.count > 1, try !context.arguments.flag("multiple") {
            throw CommandLineError.failed("Multiple matches found. --multiple required to complete the operation")
        }
        return chosen
    }

    /// Runs `operation` on each object chosen. One alone fails as any command does; of several, each failure is a line
    /// of the output and the others go on.
    func run(_ operation: @Sendable (_ ref: WireValue) async throws -> Void) async throws {
        let chosen = try await select()
        if let only = chosen.first, chosen.count == 1 {
            try await operation(.string(only.ref))
            return
        }
        for (ref, record) in chosen {
            let uuid = record.member("uuid")?.text ?? ref
            do {
                try await operation(.string(ref))
            } catch let error as APIError {
                context.printer.message("operation failed on \(uuid): \(ErrorReport.sentence(of: error))")
            } catch CommandLineError.failed(let text) {
                context.printer.message("operation failed on \(uuid): \(text)")
            }
        }
    }
}
