import DataModel

/// The enums of the datamodel, in one file.
enum EnumFiles {
    static var all: GeneratedFile {
        var lines: [String] = []
        for declared in Datamodel.all.enums {
            lines.append("/// The enum `\(declared.name)`.")
            lines.append("public enum \(SwiftNames.enumType(declared.name)): String, APIEnumeration {")
            for value in declared.values {
                let name = SwiftNames.member(value)
                let bare = name.replacing("`", with: "")
                lines.append("    case \(name)" + (bare == value ? "" : " = \"\(value)\""))
            }
            lines += ["}", ""]
        }
        return GeneratedFile(name: "Enumerations.swift", lines: lines.dropLast())
    }
}
