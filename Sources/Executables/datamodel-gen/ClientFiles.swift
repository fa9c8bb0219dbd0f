import DataModel

/// The typed client: for each class a record, what `create` takes, and its messages; then the ways to them.
enum ClientFiles {
    static var all: [GeneratedFile] {
        Datamodel.all.classes.map(file) + [accessors, enumerations, errorCodes]
    }

    private static func file(_ declared: ClassDeclaration) -> GeneratedFile {
        let type = SwiftNames.classType(declared.name)
        // Without a record, the wire's values are in no declaration.
        let access = declared.recordFields.isEmpty ? "" : "public "
        var lines = ["public import APITypes", "\(access)import RPCCodec", ""]
        if !declared.recordFields.isEmpty { lines += ClientRecord(declared).lines + [""] }
        if declared.hasCreateDestroy { lines += ClientCreation(declared).lines + [""] }
        lines += ClientCalls(declared).lines
        return GeneratedFile(name: "\(type)+Client.swift", lines: lines)
    }

    /// `session.vdi` and the like.
    private static var accessors: GeneratedFile {
        var lines = ["extension XenAPICaller {"]
        for declared in Datamodel.all.classes {
            let type = SwiftNames.classType(declared.name)
            lines.append("    /// The messages of the class `\(declared.name)`.")
            lines.append("    public var \(SwiftNames.member(declared.name)): \(type)Calls { \(type)Calls(self) }")
        }
        return GeneratedFile(name: "XenAPICaller+Classes.swift", lines: lines + ["}"])
    }

    private static var enumerations: GeneratedFile {
        let types = Datamodel.all.enums.map { SwiftNames.enumType($0.name) }
        return GeneratedFile(
            name: "FieldEnumerations.swift",
            lines: ["public import APITypes", ""] + types.map { "extension \($0): FieldEnumeration {}" })
    }

    private static var errorCodes: GeneratedFile {
        var lines = ["/// The codes that XenAPI declares; servers may send others."]
        lines.append("public enum XenAPIErrorCode: String, CaseIterable, Sendable {")
        for declared in Datamodel.all.errors {
            if let text = declared.text { lines.append("    /// \(text)") }
            if !declared.parameters.isEmpty {
                lines.append("    /// Parameters: " + declared.parameters.joined(separator: ", ") + ".")
            }
            lines.append("    case \(SwiftNames.constant(declared.code)) = \"\(declared.code)\"")
        }
        return GeneratedFile(name: "XenAPIErrorCode.swift", lines: lines + ["}"])
    }
}

/// What the comments of generated declarations say about their life and who may use them.
enum ClientComment {
    static func life(_ since: String, _ history: History) -> String {
        var text = "Since \(since)"
        if let release = history.deprecated { text += ", deprecated in \(release)" }
        if let release = history.removed { text += ", removed in \(release)" }
        return text + "."
    }

    static func lines(_ message: MessageDeclaration) -> [String] {
        var details = life(message.since, message.history) + " Role: \(message.role.name)."
        if !message.errors.isEmpty {
            details += " Errors: " + message.errors.map { "`\($0)`" }.joined(separator: ", ") + "."
        }
        if message.isPoolInternal { details += " Between the hosts of a pool only." }
        return ["    /// \(message.text ?? "Calls `\(message.wireName)`.")", "    ///", "    /// \(details)"]
    }
}
