import APITypes
import DataModel
import RPCCodec
import XenAPIClient

/// What is printed on standard error when a command fails.
enum ErrorReport {
    static let usageHint = "For usage run: 'xe help'"

    /// The complete text for `error`, newline included. References in it are looked up through `caller`, if there is
    /// one.
    static func text(of error: any Error, caller: (any XenAPICaller)?) async -> String {
        switch error {
        case let error as CommandLineError:
            error.text + "\n" + (error.isAboutUsage ? usageHint + "\n" : "")
        case let error as APIError:
            await text(of: error, caller)
        default:
            "Error: \(error)\n"
        }
    }

    /// One line for `error`: the datamodel's sentence and the parameters, as far as it is declared; references among them
    /// are left out, for whoever prints the line has named the object.
    static func sentence(of error: APIError) -> String {
        guard let declared = Datamodel.all.error(error.code) else { return error.wire.joined(separator: ", ") }
        let words = error.parameters.filter { !$0.hasPrefix("OpaqueRef:") }
        let parameters = words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
        return (declared.text ?? spelledOut(error.code)) + parameters
    }

    private static func text(of error: APIError, _ caller: (any XenAPICaller)?) async -> String {
        if error.code == "SESSION_AUTHENTICATION_FAILED" {
            let user = error.parameters.first ?? ""
            return (user.isEmpty ? "A user name and password are needed." : "The user name or the password is wrong.")
                + "\n\(usageHint)\n"
        }
        guard let declared = Datamodel.all.error(error.code) else {
            return "Error code: \(error.code)\nError parameters: \(error.parameters.joined(separator: ", "))\n"
        }
        var lines = [declared.text ?? spelledOut(error.code)]
        for (index, name) in declared.parameters.enumerated() {
            guard index < error.parameters.count else {
                lines.append("\(name): <unknown>")
                continue
            }
            let before = error.parameters[..<index].reversed()
            lines.append("\(name): \(await shown(error.parameters[index], [name] + before, caller))")
        }
        for extra in error.parameters.dropFirst(declared.parameters.count) {
            lines.append("<extra>: \(await shown(extra, error.parameters.reversed(), caller))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A code without a sentence of its own, in words: `SR_NOT_EMPTY` is `Sr not empty.`
    private static func spelledOut(_ code: String) -> String {
        let words = code.lowercased().replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst() + "."
    }

    /// Classes of the objects that errors are about, where nothing says which.
    private static let usualClasses = ["VM", "VDI", "SR", "VBD", "PBD", "host", "pool", "network", "task"]

    /// A reference as `uuid (name-label)`; anything else as it is. Which class it is of, the parameter's name says, or one
    /// of the parameters before it; `hints` are these.
    private static func shown(
        _ value: String, _ hints: [String], _ caller: (any XenAPICaller)?
    ) async -> String {
        guard value.hasPrefix("OpaqueRef:"), value != ValueText.nullRef, let caller else { return value }
        for candidate in hints + usualClasses {
            guard let declared = Datamodel.all.classNamed(anyCase: candidate) else { continue }
            guard let record = try? await caller.call("\(declared.name).get_record", [.string(value)]) else { continue }
            let uuid = record.member("uuid")?.text ?? value
            return record.member("name_label")?.text.map { "\(uuid) (\($0))" } ?? uuid
        }
        return value
    }
}
