import DataModel

/// A record as a client receives it.
struct ClientRecord {
    private let declared: ClassDeclaration
    private let type: String

    init(_ declared: ClassDeclaration) {
        self.declared = declared
        type = SwiftNames.classType(declared.name)
    }

    /// Releases whose fields every server has that is met today, XenServer 7.1 (`ely`) included.
    private static let everywhere: Set<String> = [
        "rio", "miami", "symc", "orlando", "orlando-update-1", "george", "midnight-ride", "cowley", "boston", "tampa",
        "clearwater", "vgpu-tech-preview", "vgpu-productisation", "clearwater-felton", "clearwater-whetstone",
        "creedence", "cream", "indigo", "dundee", "ely",
    ]

    /// An older server may leave the field out.
    private func mayBeMissing(_ field: FieldDeclaration) -> Bool {
        if field.state == .removed || field.history.removed != nil { return true }
        return field.since != declared.since && !Self.everywhere.contains(field.since)
    }

    /// A field that holds an option is one with or without its server being old.
    private func isOptional(_ field: FieldDeclaration) -> Bool {
        if case .option = field.type { return true }
        return mayBeMissing(field)
    }

    static func name(_ field: FieldDeclaration) -> String {
        let member = SwiftNames.member(field.name)
        return member == "className" ? "classNameField" : member
    }

    var lines: [String] {
        let fields = declared.recordFields
        var lines = ["/// A record of the class `\(declared.name)`. \(declared.text ?? "")".trimmed]
        lines.append("public struct \(type)Record: XenRecord {")
        for field in fields {
            if let text = field.text { lines.append("    /// \(text)") }
            let mark = isOptional(field) ? "?" : ""
            lines.append("    public var \(Self.name(field)): \(SwiftNames.receivedType(field.type))\(mark)")
        }
        lines += ["", "    public init(wire: WireValue) throws(WireMismatch) {"]
        lines.append("        var record = try RecordReader(wire, of: \"\(declared.name)\")")
        for field in fields {
            let reader = isOptional(field) ? "optional" : "field"
            lines.append("        \(Self.name(field)) = try record.\(reader)(\"\(field.name)\")")
        }
        lines += ["    }", "}", ""]
        lines.append("extension \(type): RecordClass { public typealias Record = \(type)Record }")
        return lines
    }
}

/// What `create` takes.
struct ClientCreation {
    private let declared: ClassDeclaration
    private let type: String

    init(_ declared: ClassDeclaration) {
        self.declared = declared
        type = SwiftNames.classType(declared.name)
    }

    /// What stands for a member that the caller of `create` does not name; nil: it must be named.
    private func standIn(_ field: FieldDeclaration) -> String? {
        guard field.defaultValue == nil else { return "nil" }
        switch field.type {
        case .bool: return "false"
        case .map: return "[:]"
        case .set: return "[]"
        default: return nil
        }
    }

    private func valueType(_ field: FieldDeclaration) -> String {
        SwiftNames.givenType(field.type) + (field.defaultValue == nil ? "" : "?")
    }

    var lines: [String] {
        let fields = declared.creationFields
        var lines = ["/// What `\(declared.name).create` takes. The server has its own value for a member that is nil."]
        lines.append("public struct \(type)Creation: WireWritable {")
        for field in fields {
            if let text = field.text { lines.append("    /// \(text)") }
            lines.append("    public var \(ClientRecord.name(field)): \(valueType(field))")
        }
        lines += ["", "    public init("]
        for (index, field) in fields.enumerated() {
            let value = standIn(field).map { " = \($0)" } ?? ""
            let comma = index == fields.count - 1 ? "" : ","
            lines.append("        \(ClientRecord.name(field)): \(valueType(field))\(value)\(comma)")
        }
        lines.append("    ) {")
        for field in fields { lines.append("        self.\(bare(field)) = \(ClientRecord.name(field))") }
        lines += ["    }", "", "    public var wire: WireValue {", "        var record = RecordWriter()"]
        for field in fields {
            let call = field.defaultValue == nil ? "put" : "putIfGiven"
            lines.append("        record.\(call)(\"\(field.name)\", \(ClientRecord.name(field)))")
        }
        lines += ["        return record.wire", "    }", "}", ""]
        lines.append("extension \(type): CreatableClass { public typealias Creation = \(type)Creation }")
        return lines
    }

    private func bare(_ field: FieldDeclaration) -> String { ClientRecord.name(field).replacing("`", with: "") }
}

extension String {
    /// Without the spaces at its end.
    fileprivate var trimmed: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
