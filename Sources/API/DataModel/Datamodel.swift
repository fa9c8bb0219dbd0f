import Synchronization

/// Everything declared, with look-ups by wire name. Immutable; usable from anywhere.
public struct Datamodel: Sendable {
    public static let all = Datamodel(release: Release.chosen.withLock { $0 })

    /// In datamodel order.
    public let classes: [ClassDeclaration]
    public let enums: [EnumDeclaration] = EnumDeclaration.all
    public let errors: [ErrorDeclaration] = ErrorDeclaration.all
    public let relations: [Relation] = Relation.all
    public let httpHandlers: [HTTPHandlerDeclaration] = HTTPHandlerDeclaration.all

    private let classesByName: [String: ClassDeclaration]
    private let classesByLowercaseName: [String: ClassDeclaration]
    private let enumsByName: [String: EnumDeclaration]
    private let errorsByCode: [String: ErrorDeclaration]
    private let handlersByName: [String: HTTPHandlerDeclaration]
    private let messagesByName: [String: MessageDeclaration]
    /// By `<class>_<message>`, the other spelling of synchronous calls.
    private let messagesByAlias: [String: MessageDeclaration]

    /// `release`: nil for the newest.
    init(release: Release?) {
        classes = release.map { older in ClassDeclaration.all.map { $0.known(in: older) } } ?? ClassDeclaration.all
        var messages: [String: MessageDeclaration] = [:]
        var aliases: [String: MessageDeclaration] = [:]
        for declared in classes {
            for message in declared.allMessages {
                messages[message.wireName] = message
                aliases["\(declared.name)_\(message.name)"] = message
            }
        }
        messagesByName = messages
        messagesByAlias = aliases
        classesByName = Dictionary(classes.map { ($0.name, $0) }) { first, _ in first }
        classesByLowercaseName = Dictionary(classes.map { ($0.name.lowercased(), $0) }) { first, _ in first }
        enumsByName = Dictionary(enums.map { ($0.name, $0) }) { first, _ in first }
        errorsByCode = Dictionary(errors.map { ($0.code, $0) }) { first, _ in first }
        handlersByName = Dictionary(httpHandlers.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The class spelled exactly `name`.
    public func classNamed(_ name: String) -> ClassDeclaration? { classesByName[name] }

    /// The class whose name is `name` in any case, as event subscriptions write it.
    public func classNamed(anyCase name: String) -> ClassDeclaration? { classesByLowercaseName[name.lowercased()] }

    public func enumNamed(_ name: String) -> EnumDeclaration? { enumsByName[name] }

    public func error(_ code: String) -> ErrorDeclaration? { errorsByCode[code] }

    /// The path served under this name, e.g. `put_import_raw_vdi`.
    public func httpHandler(_ name: String) -> HTTPHandlerDeclaration? { handlersByName[name] }

    /// The message `VDI.create` and the like, implied ones included. No `Async.` prefix, no alias.
    public func message(_ wireName: String) -> MessageDeclaration? { messagesByName[wireName] }

    /// Every message, implied ones included, by wire name.
    public var messages: Dictionary<String, MessageDeclaration>.Values { messagesByName.values }

    /// The message a method name on the wire means: `VDI.create`, `VDI_create`, `Async.VDI.create`.
    public func method(_ name: String) -> MethodCall? {
        for form in [MethodCall.Form.asynchronous, .internalAsynchronous] where name.hasPrefix(form.prefix) {
            return message(String(name.dropFirst(form.prefix.count))).map { MethodCall(message: $0, form: form) }
        }
        return (message(name) ?? messagesByAlias[name]).map { MethodCall(message: $0, form: .synchronous) }
    }
}

/// A method name, understood.
public struct MethodCall: Hashable, Sendable {
    public enum Form: Sendable {
        case synchronous
        /// Answers with a task. Only allowed when the message `isAsync`.
        case asynchronous
        /// Between hosts of a pool.
        case internalAsynchronous

        var prefix: String {
            switch self {
            case .synchronous: ""
            case .asynchronous: "Async."
            case .internalAsynchronous: "InternalAsync."
            }
        }
    }

    public let message: MessageDeclaration
    public let form: Form
}
