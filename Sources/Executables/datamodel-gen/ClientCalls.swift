import DataModel

/// The messages of a class as methods: those that are written out in the datamodel. The implied ones are the same for all
/// classes and no business of the generator.
struct ClientCalls {
    private let declared: ClassDeclaration
    private let type: String

    init(_ declared: ClassDeclaration) {
        self.declared = declared
        type = SwiftNames.classType(declared.name)
    }

    /// What these answer is no value of their declared type: a structure of its own, and events that are no whole records.
    private static let otherAnswers = ["event.from", "event.next"]

    /// Logins take no session and are the session's matter.
    private var messages: [MessageDeclaration] {
        declared.messages.filter { $0.needsSession && !Self.otherAnswers.contains($0.wireName) }
    }

    private var conformances: String {
        var protocols: [String] = []
        if declared.inDatabase {
            protocols.append("ObjectCalls")
            if declared.hasNameLabel { protocols.append("NamedCalls") }
            if declared.hasGetAllFamily { protocols.append("ListingCalls") }
            if declared.hasCreateDestroy { protocols.append("CreatableCalls") }
        }
        return protocols.isEmpty ? "ClassCalls" : protocols.joined(separator: ", ")
    }

    var lines: [String] {
        var lines = ["/// The messages of the class `\(declared.name)`."]
        lines.append("public struct \(type)Calls: \(conformances) {")
        lines.append("    public typealias Class = \(type)")
        lines.append("    public let caller: any XenAPICaller")
        lines.append("    init(_ caller: any XenAPICaller) { self.caller = caller }")
        for message in messages {
            lines.append("")
            lines += ClientComment.lines(message) + method(message)
            if message.isAsync {
                lines += ["", "    /// Starts `\(message.wireName)` and answers with its task."]
                lines += taskMethod(message)
            }
        }
        return lines + ["}"]
    }

    private func method(_ message: MessageDeclaration) -> [String] {
        let name = SwiftNames.member(message.name)
        let result = message.result == .void ? "" : " -> \(SwiftNames.receivedType(message.result))"
        let verb = message.result == .void ? "perform" : "invoke"
        return [
            "    public func \(name)(\(parameters(message))) async throws\(result) {",
            "        try await self.caller.\(verb)(\(arguments(message)))", "    }",
        ]
    }

    private func taskMethod(_ message: MessageDeclaration) -> [String] {
        let bare = SwiftNames.member(message.name).replacing("`", with: "")
        let name = "async" + bare.prefix(1).uppercased() + bare.dropFirst()
        let value = message.result == .void ? "NoValue" : SwiftNames.receivedType(message.result)
        return [
            "    public func \(name)(\(parameters(message))) async throws -> XenTaskHandle<\(value)> {",
            "        try await self.caller.launch(\(arguments(message)))", "    }",
        ]
    }

    /// The object itself needs no label.
    private func isObject(_ index: Int, _ parameter: ParameterDeclaration) -> Bool {
        index == 0 && parameter.type == .ref(declared.name)
    }

    private func name(_ index: Int, _ parameter: ParameterDeclaration) -> String {
        if parameter.name == "self" { return SwiftNames.member(declared.name) }
        return SwiftNames.member(parameter.name)
    }

    private func parameters(_ message: MessageDeclaration) -> String {
        message.parameters.enumerated().map { index, parameter in
            let value = parameter.defaultValue.map { " = \(literal($0, parameter.type))" } ?? ""
            let label = isObject(index, parameter) ? "_ " : ""
            return "\(label)\(name(index, parameter)): \(SwiftNames.givenType(parameter.type))\(value)"
        }.joined(separator: ", ")
    }

    private func arguments(_ message: MessageDeclaration) -> String {
        let values = message.parameters.enumerated().map { name($0, $1) + ".wire" }
        let defaults = message.parameters.compactMap { parameter in
            parameter.defaultValue.map { wire($0) }
        }
        var text = "\"\(message.wireName)\", [\(values.joined(separator: ", "))]"
        if !defaults.isEmpty { text += ", defaults: [\(defaults.joined(separator: ", "))]" }
        return text
    }

    /// The default as Swift writes it.
    private func literal(_ value: DefaultValue, _ type: ModelType) -> String {
        switch value {
        case .string(let text):
            guard case .enumeration = type else { return quoted(text) }
            return "." + SwiftNames.member(text)
        case .int(let number): return String(number)
        case .bool(let flag): return String(flag)
        case .float(let number): return String(number)
        case .datetime(let seconds): return seconds == 0 ? ".never" : "APIDate(seconds: \(seconds))"
        case .ref(let opaque): return opaque == "OpaqueRef:NULL" ? ".null" : "Ref(\(quoted(opaque)))"
        case .set(let values):
            return values.isEmpty ? "[]" : "[\(values.map { literal($0, .string) }.joined(separator: ", "))]"
        case .map(let entries):
            let pairs = entries.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(literal($0.value, .string))" }
            return pairs.isEmpty ? "[:]" : "[\(pairs.joined(separator: ", "))]"
        }
    }

    /// The default as the wire has it; maps have their keys in order, as `Dictionary.wire` has.
    private func wire(_ value: DefaultValue) -> String {
        switch value {
        case .string(let text), .ref(let text): return ".string(\(quoted(text)))"
        case .int(let number): return ".int(\(number))"
        case .bool(let flag): return ".bool(\(flag))"
        case .float(let number): return ".double(\(number))"
        case .datetime(let seconds): return "APIDate(seconds: \(seconds)).wire"
        case .set(let values): return ".array([\(values.map(wire).joined(separator: ", "))])"
        case .map(let entries):
            let members = entries.sorted { $0.key < $1.key }.map { "WireMember(\(quoted($0.key)), \(wire($0.value)))" }
            return ".structure([\(members.joined(separator: ", "))])"
        }
    }

    private func quoted(_ text: String) -> String { "\"\(text)\"" }
}
