import APITypes
import DataModel
import PoolDatabase

/// What a machine was like when a snapshot of it was made: VM.snapshot_metadata. As in XenAPI's own it is the machine's row by
/// columns, in the text that queries compare: `(('name__label' 'mine') …)`. That of another toolstack may be anything.
enum SnapshotMetadata {
    static func text(of machine: Row) -> String {
        var columns: [String: APIValue] = ["ref": .string(machine.ref)]
        for field in Datamodel.all.classNamed(VM.className)?.recordFields ?? [] where !leftOut.contains(field.name) {
            columns[field.columnName] = .string(ColumnText.format(machine[field: field.name]))
        }
        return ColumnText.format(.map(columns))
    }

    /// Of the snapshot's own snapshot it would be the whole history.
    private static let leftOut: Set<String> = ["snapshot_metadata", "allowed_operations", "current_operations"]

    /// The same with references named anew; those that are not known have no meaning where the text goes.
    static func renamed(_ text: String, _ names: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.firstRange(of: prefix) {
            result += rest[..<start.lowerBound]
            let end = rest[start.upperBound...].firstIndex { !($0.isHexDigit || $0 == "-") } ?? rest.endIndex
            let known = String(rest[start.lowerBound..<end])
            let isNamed = end > start.upperBound
            result += isNamed ? names[known] ?? prefix + "NULL" : known
            rest = rest[end...]
        }
        return result + rest
    }

    private static let prefix = "OpaqueRef:"

    /// The machine's uuid, and its values by fields: those that can be read; nil when the text is nothing of the kind.
    static func values(_ text: String) -> (uuid: String?, fields: [(name: String, value: APIValue)])? {
        guard !text.isEmpty, let map = APIValue(column: text, type: .map(.string, .string)),
            let columns = [String: String](api: map)
        else { return nil }
        var fields: [(name: String, value: APIValue)] = []
        for field in Datamodel.all.classNamed(VM.className)?.recordFields ?? [] {
            guard let text = columns[field.columnName], let value = APIValue(column: text, type: field.type),
                field.type.admits(value, in: .all)
            else { continue }
            fields.append((field.name, value))
        }
        return (columns["uuid"], fields)
    }
}
