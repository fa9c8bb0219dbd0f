import APITypes
import RPCCodec
import XenAPIClient

/// What a running command has at hand.
struct CommandContext: Sendable {
    let arguments: CommandArguments
    let caller: any XenAPICaller
    let printer: Printer
    let reader: FieldReader

    init(_ arguments: CommandArguments, caller: any XenAPICaller, printer: Printer) {
        self.arguments = arguments
        self.caller = caller
        self.printer = printer
        reader = FieldReader(caller)
    }

    /// Calls a message and gives back its value.
    @discardableResult
    func call(_ method: String, _ parameters: WireValue...) async throws -> WireValue {
        try await caller.call(method, parameters)
    }

    /// Calls a message that may take long: with `--progress` as a task whose progress is shown.
    func operate(_ method: String, _ parameters: WireValue...) async throws {
        guard try arguments.flag("progress") else {
            _ = try await caller.call(method, parameters)
            return
        }
        let spinner = OperationSpinner(printer.output)
        defer { spinner.finish() }
        _ = try await caller.runTask(method, parameters) { spinner.update($0.progress) }
    }

    /// Calls a message that answers with a reference or another text.
    func text(_ method: String, _ parameters: WireValue...) async throws -> String {
        guard let text = try await caller.call(method, parameters).text else {
            throw APIError.internalError("\(method) did not answer with a text")
        }
        return text
    }

    /// The object whose uuid is the value of the required parameter `name`, as an argument of a call.
    func object(_ className: String, named name: String) async throws -> WireValue {
        let uuid = try arguments.required(name)
        return .string(try await reference(className, uuid: uuid))
    }

    /// The same for a parameter that may be absent.
    func optionalObject(_ className: String, named name: String) async throws -> WireValue? {
        guard let uuid = arguments[name] else { return nil }
        return .string(try await reference(className, uuid: uuid))
    }

    func reference(_ className: String, uuid: String) async throws -> String {
        try await text("\(className).get_by_uuid", .string(uuid))
    }

    /// Prints the uuid of the object `ref`.
    func printUUID(_ className: String, _ ref: WireValue) async throws {
        printer.value(try await text("\(className).get_uuid", ref))
    }

    /// A map argument (`sm-config:key=value`) as the struct a call takes.
    func mapArgument(_ name: String) -> WireValue {
        .members(arguments.map(name).map { (name: $0.name, value: .string($0.value)) })
    }
}
