import RPCCodec
import XenAPIClient

/// The commands every family has: F-list, F-param-list, F-param-get and, where its fields permit, -set, -add, -remove
/// and -clear.
extension Command {
    static func generated(for family: Family) -> [Command] {
        let name = family.name
        let markers = family.fields.map(\.marker)
        var commands = [
            Command(
                "\(name)-list", optional: ["params"], flags: ["vm", "host", "sr"].contains(name) ? [.standard] : [],
                "Lists the \(name) objects, or those that all filters match."
            ) { try await list(family, $0) },
            Command("\(name)-param-list", ["uuid"], "Lists all fields of one object.") {
                try await paramList(family, $0)
            },
            Command(
                "\(name)-param-get", ["uuid", "param-name"], optional: ["param-key"],
                "Prints one field of an object, or one entry of a map."
            ) { try await paramGet(family, $0) },
        ]
        if markers.contains(where: { $0 == .readWrite || $0 == .readWriteMap }) {
            commands.append(
                Command("\(name)-param-set", ["uuid"], "Sets fields of an object.") { try await paramSet(family, $0) })
        }
        if markers.contains(where: { $0 == .readWriteSet || $0 == .readWriteMap }) {
            commands.append(
                Command(
                    "\(name)-param-add", ["uuid", "param-name"], optional: ["param-key"],
                    "Adds to a set or a map of an object."
                ) { try await paramAdd(family, $0) })
            commands.append(
                Command(
                    "\(name)-param-remove", ["uuid", "param-name", "param-key"],
                    "Removes an item of a set or an entry of a map."
                ) { try await paramRemove(family, $0) })
        }
        if markers.contains(where: { $0.isWritable || $0.isSet || $0.isMap }) {
            commands.append(
                Command(
                    "\(name)-param-clear", ["uuid", "param-name"], "Empties a field of an object."
                ) { try await paramClear(family, $0) })
        }
        return commands
    }

    private static func list(_ family: Family, _ context: CommandContext) async throws {
        let parameters = context.arguments.parameters.filter {
            !CommandArguments.reserved.contains($0.name) && $0.name != "params" && !$0.name.hasPrefix("database:")
        }
        let everything = try context.arguments.flag("all")
        let records = try await context.reader.store.all(family.className)
        if records.isEmpty { return }
        let filter = try RecordFilter(
            everything ? [] : parameters, family: family, withDefaults: !everything, strict: true)
        let columns = columns(family, context.arguments["params"])
        for (ref, record) in records where try await filter.matches(ref, record, context.reader) {
            try await printRecord(columns, ref, record, context, listing: true)
        }
    }

    /// In the order of the family's fields, whatever the order asked for; unknown names count for nothing.
    static func columns(_ family: Family, _ asked: String?, else usual: [String]? = nil) -> [Field] {
        let names = Set(asked.map { CommandArguments.list($0) } ?? usual ?? family.columns)
        if asked == "all" || (asked == nil && names.isEmpty) { return family.fields.filter { !$0.isHidden } }
        return family.fields.filter { names.contains($0.name) }
    }

    static func printRecord(
        _ fields: [Field], _ ref: String, _ record: WireValue, _ context: CommandContext, listing: Bool
    ) async throws {
        var lines: [(label: String, value: String)] = []
        for field in fields {
            let text =
                listing && field.isExpensive
                ? ValueText.expensive : try await context.reader.text(field, of: ref, record)
            lines.append((field.label, text))
            // Only the first value is shown then.
            if context.printer.isMinimal { break }
        }
        context.printer.record(lines)
    }

    private static func paramList(_ family: Family, _ context: CommandContext) async throws {
        let (ref, record) = try await object(family, context)
        try await printRecord(family.fields.filter { !$0.isHidden }, ref, record, context, listing: false)
    }

    private static func paramGet(_ family: Family, _ context: CommandContext) async throws {
        let field = try field(family, try context.arguments.required("param-name"))
        let (ref, record) = try await object(family, context)
        guard let key = context.arguments["param-key"] else {
            context.printer.value(try await context.reader.text(field, of: ref, record))
            return
        }
        let value = try await context.reader.value(field, of: ref, record)
        guard let entry = value?.member(key) else {
            throw CommandLineError.failed("Key \(key) not found in \(field.name)")
        }
        context.printer.value(ValueText.of(entry, styles: field.styles))
    }

    private static func paramSet(_ family: Family, _ context: CommandContext) async throws {
        let parameters = context.arguments.parameters.filter {
            !CommandArguments.reserved.contains($0.name) && $0.name != "uuid"
        }
        let (ref, record) = try await object(family, context)
        let writer = FieldWriter(context: context, family: family, ref: ref, record: record)
        for parameter in parameters {
            if let field = family.field(parameter.name) {
                try await writer.set(field, to: parameter.value)
            } else if let (field, key) = entry(family, parameter.name) {
                try await writer.setEntry(field, key: key, to: parameter.value)
            } else {
                throw CommandLineError.failed("Unknown field '\(parameter.name)'")
            }
        }
    }

    private static func paramAdd(_ family: Family, _ context: CommandContext) async throws {
        let field = try field(family, try context.arguments.required("param-name"))
        let (ref, record) = try await object(family, context)
        let writer = FieldWriter(context: context, family: family, ref: ref, record: record)
        switch field.marker {
        case .readWriteSet:
            try await writer.addItem(field, try context.arguments.required("param-key"))
        case .readWriteMap:
            let names: Set<String> = ["uuid", "param-name", "param-key"]
            for parameter in context.arguments.parameters
            where !CommandArguments.reserved.contains(parameter.name) && !names.contains(parameter.name) {
                try await writer.addEntry(field, key: parameter.name, parameter.value)
            }
        default:
            throw CommandLineError.failed("Nothing can be added to '\(field.name)'")
        }
    }

    private static func paramRemove(_ family: Family, _ context: CommandContext) async throws {
        let field = try field(family, try context.arguments.required("param-name"))
        let key = try context.arguments.required("param-key")
        guard field.marker.isSet || field.marker.isMap else {
            throw CommandLineError.failed("Nothing can be removed from '\(field.name)'")
        }
        let (ref, record) = try await object(family, context)
        try await FieldWriter(context: context, family: family, ref: ref, record: record).remove(field, key: key)
    }

    private static func paramClear(_ family: Family, _ context: CommandContext) async throws {
        let field = try field(family, try context.arguments.required("param-name"))
        let (ref, record) = try await object(family, context)
        try await FieldWriter(context: context, family: family, ref: ref, record: record).clear(field)
    }

    private static func object(_ family: Family, _ context: CommandContext) async throws -> (String, WireValue) {
        let ref = try await context.reference(family.className, uuid: try context.arguments.required("uuid"))
        return (ref, try await context.call("\(family.className).get_record", .string(ref)))
    }

    private static func field(_ family: Family, _ name: String) throws(CommandLineError) -> Field {
        guard let field = family.field(name) else { throw .failed("Unknown field '\(name)'") }
        return field
    }

    /// `map:key` (or `map-key`) taken apart.
    private static func entry(_ family: Family, _ name: String) -> (Field, String)? {
        for field in family.fields where field.marker.isMap && name.hasPrefix(field.name) {
            let rest = name.dropFirst(field.name.count)
            if let separator = rest.first, separator == ":" || separator == "-", rest.count > 1 {
                return (field, String(rest.dropFirst()))
            }
        }
        return nil
    }
}
