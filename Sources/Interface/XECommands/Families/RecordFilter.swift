import RPCCodec
import XenAPIClient

/// A condition on an object's printed fields: `field=v`, `set:contains=v`, `map:key=v`. Several are ANDed.
struct RecordFilter: Sendable {
    enum Condition: Sendable {
        /// The whole text of the field.
        case equals(Field, String)
        /// One item of a set.
        case contains(Field, String)
        /// The entry of a map.
        case entry(Field, key: String, String)
    }

    let conditions: [Condition]

    /// The conditions that `parameters` name; with a default of the family where none is given for its field.
    /// An unknown field is an error only if `strict`.
    init(
        _ parameters: [CommandArguments.Parameter], family: Family, withDefaults: Bool, strict: Bool
    ) throws(CommandLineError) {
        var all = parameters
        if withDefaults {
            let given = Set(parameters.map(\.name))
            all += family.filters.filter { !given.contains($0.name) }.map { .init($0.name, $0.value) }
        }
        var conditions: [Condition] = []
        for parameter in all {
            if let condition = Self.condition(parameter, family) {
                conditions.append(condition)
            } else if strict {
                throw .failed("Unknown field '\(parameter.name)'")
            }
        }
        self.conditions = conditions
    }

    func matches(_ ref: String, _ record: WireValue, _ reader: FieldReader) async throws -> Bool {
        for condition in conditions {
            switch condition {
            case .equals(let field, let wanted):
                guard try await reader.text(field, of: ref, record) == wanted else { return false }
            case .contains(let field, let wanted):
                let value = try await reader.value(field, of: ref, record)
                guard let value, Self.items(value, field).contains(wanted) else { return false }
            case .entry(let field, let key, let wanted):
                let value = try await reader.value(field, of: ref, record)
                guard let entry = value?.member(key), entry.printed == wanted else { return false }
            }
        }
        return true
    }

    private static func items(_ value: WireValue, _ field: Field) -> [String] {
        let items = value.items ?? value.members?.map(\.value) ?? []
        return items.map { ValueText.of($0, styles: field.styles) }
    }

    private static func condition(_ parameter: CommandArguments.Parameter, _ family: Family) -> Condition? {
        if let field = family.field(parameter.name) { return .equals(field, parameter.value) }
        for field in family.fields where parameter.name.hasPrefix(field.name) {
            let rest = parameter.name.dropFirst(field.name.count)
            guard let separator = rest.first, separator == ":" || separator == "-", rest.count > 1 else { continue }
            let key = String(rest.dropFirst())
            if field.marker.isMap { return .entry(field, key: key, parameter.value) }
            if key == "contains" { return .contains(field, parameter.value) }
        }
        return nil
    }
}
