import CoreTypes
import DataModel
import RPCCodec
import XenAPIClient

/// Changes fields through the API's setters.
struct FieldWriter: Sendable {
    let context: CommandContext
    let family: Family
    /// The object.
    let ref: String
    let record: WireValue

    /// `F-param-set`: the whole value of a plain field.
    func set(_ field: Field, to text: String) async throws {
        guard !field.marker.isSet, !field.marker.isMap else {
            throw CommandLineError.failed("\(field.name) is a set or a map: use \(family.name)-param-add")
        }
        try await context.call(
            "\(family.className).set_\(try member(field))", .string(ref), try await value(text, field))
    }

    /// `F-param-set map:key=value`: replaces one entry.
    func setEntry(_ field: Field, key: String, to text: String) async throws {
        let name = try member(field)
        try await context.call("\(family.className).remove_from_\(name)", .string(ref), .string(key))
        try await context.call("\(family.className).add_to_\(name)", .string(ref), .string(key), .string(text))
    }

    func addItem(_ field: Field, _ item: String) async throws {
        try await context.call("\(family.className).add_\(try member(field))", .string(ref), try await one(item, field))
    }

    func addEntry(_ field: Field, key: String, _ text: String) async throws {
        let method = "\(family.className).add_to_\(try member(field))"
        try await context.call(method, .string(ref), .string(key), .string(text))
    }

    /// Removes an item of a set or an entry of a map; it must be there.
    func remove(_ field: Field, key: String) async throws {
        let current = try await context.reader.value(field, of: ref, record)
        let isThere =
            field.marker.isMap
            ? current?.member(key) != nil : current?.items?.contains { $0.printed == key } ?? false
        guard isThere else { throw CommandLineError.failed("Key \(key) not found in \(field.name)") }
        let name = try member(field)
        if field.marker.isMap {
            try await context.call("\(family.className).remove_from_\(name)", .string(ref), .string(key))
        } else {
            try await context.call("\(family.className).remove_\(name)", .string(ref), try await one(key, field))
        }
    }

    func clear(_ field: Field) async throws {
        let method = "\(family.className).set_\(try member(field))"
        switch field.marker {
        case .readWriteSet: try await context.call(method, .string(ref), .array([]))
        case .readWriteMap: try await context.call(method, .string(ref), .members([]))
        default: try await context.call(method, .string(ref), try await value("", field))
        }
    }

    /// The API's name of a field that may be written.
    private func member(_ field: Field) throws(CommandLineError) -> String {
        guard field.marker.isWritable, let name = field.source.settableMember else {
            throw .failed("Field '\(field.name)' is read-only")
        }
        return name
    }

    /// `text` in the type that the field has now.
    private func value(_ text: String, _ field: Field) async throws -> WireValue {
        if field.styles.contains(.bytes) {
            return .string(String(try CommandArguments.size(text, of: field.name)))
        }
        let now = try await context.reader.value(field, of: ref, record)
        if field.source.references != nil {
            guard now?.items != nil else { return try await one(text, field) }
            var items: [WireValue] = []
            for item in CommandArguments.list(text) { items.append(try await one(item, field)) }
            return .array(items)
        }
        if let member = field.source.settableMember,
            Datamodel.all.classNamed(family.className)?.field(member)?.type == .int, Int64(text) == nil
        {
            throw CommandLineError.failed("Field '\(field.name)' takes a whole number, not '\(text)'")
        }
        switch now {
        case .bool:
            guard let flag = CommandArguments.boolean(text) else {
                throw CommandLineError.failed("Field '\(field.name)' takes true or false, not '\(text)'")
            }
            return .bool(flag)
        case .double:
            guard let number = Double(text) else {
                throw CommandLineError.failed("Field '\(field.name)' takes a number, not '\(text)'")
            }
            return .double(number)
        case .array:
            return .array(CommandArguments.list(text).map { .string($0) })
        default:
            return .string(text)
        }
    }

    /// One item: a reference where the field holds references (the null one for an empty text).
    private func one(_ text: String, _ field: Field) async throws -> WireValue {
        guard let className = field.source.references else { return .string(text) }
        return .string(text.isEmpty ? ValueText.nullRef : try await context.reference(className, uuid: text))
    }
}
