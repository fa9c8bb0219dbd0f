import DataModel

/// One file per class: its Swift type with a key for each field.
enum ClassFiles {
    static var all: [GeneratedFile] { Datamodel.all.classes.map(file) }

    private static func file(_ declared: ClassDeclaration) -> GeneratedFile {
        let type = SwiftNames.classType(declared.name)
        var lines = [
            "/// The class `\(declared.name)`.",
            "public enum \(type): XenClass {",
            "    public static let className = \"\(declared.name)\"",
        ]
        if !declared.fields.isEmpty { lines.append("") }
        for field in declared.fields {
            let member = SwiftNames.member(field.name)
            let value = SwiftNames.valueType(field.type)
            // The class's own name is taken; a field of that name gets the suffix.
            let name = member == "className" ? "classNameField" : member
            if field.isInternal { lines.append("    /// Never sent to clients.") }
            let line = "    public static let \(name) = FieldKey<\(type), \(value)>(\"\(field.name)\")"
            if line.count <= 120 {
                lines.append(line)
            } else {
                lines.append("    public static let \(name) = FieldKey<\(type), \(value)>(")
                lines.append("        \"\(field.name)\")")
            }
        }
        lines.append("}")
        return GeneratedFile(name: "\(type).swift", lines: lines)
    }
}
