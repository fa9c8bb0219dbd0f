/// A parameter of a message, in wire order: those with a default come last. The session is never listed.
public struct ParameterDeclaration: Hashable, Sendable {
    public let name: String
    public let type: ModelType
    /// Set: the parameter may be left out.
    public let defaultValue: DefaultValue?
    public let since: String
    /// The value is a password or the like: never logged.
    public let isSecret: Bool

    public init(
        _ name: String, _ type: ModelType, _ defaultValue: DefaultValue? = nil, since: String = "rio",
        isSecret: Bool = false
    ) {
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
        self.since = since
        self.isSecret = isSecret
    }
}

/// What a message is: written out in its class, or implied by the class and its fields.
public enum MessageOrigin: Hashable, Sendable {
    case custom
    case getRecord, getByUUID, getByNameLabel
    case getAll, getAllRecords, getAllWhere, getAllRecordsWhere
    case create, destroy
    case getField(FieldDeclaration)
    case setField(FieldDeclaration)
    case addToMap(FieldDeclaration)
    case removeFromMap(FieldDeclaration)
    case addToSet(FieldDeclaration)
    case removeFromSet(FieldDeclaration)
}

/// A message (a call) of a class.
public struct MessageDeclaration: Hashable, Sendable {
    /// The name without the class, e.g. `pool_migrate`.
    public let name: String
    public internal(set) var parameters: [ParameterDeclaration]
    public let result: ModelType
    public let role: RequiredRole
    /// `Async.<class>.<name>` exists.
    public let isAsync: Bool
    /// The first wire parameter is the session.
    public let needsSession: Bool
    /// Neither a parameter nor the result may be logged.
    public let isSecret: Bool
    /// Error codes the reference names for this message; others may be raised as well.
    public let errors: [String]
    public let since: String
    public let state: LifecycleState
    public let history: History
    /// Left out of documentation and command lines.
    public let isHidden: Bool
    /// Only for sessions between the hosts of a pool.
    public let isPoolInternal: Bool
    public let mapKeyRoles: [String: BasicRole]
    /// What the message does, for people; nil for those that nothing here implements and for the implied ones.
    public let text: String?
    /// The class of the message; set by `ClassDeclaration`.
    public internal(set) var className: String = ""
    public internal(set) var origin: MessageOrigin = .custom

    public init(
        _ name: String, _ parameters: [ParameterDeclaration] = [], result: ModelType = .void, role: RequiredRole,
        isAsync: Bool = false, needsSession: Bool = true, isSecret: Bool = false, errors: [String] = [],
        since: String, state: LifecycleState = .published, history: History = .none, isHidden: Bool = false,
        isPoolInternal: Bool = false, mapKeyRoles: [String: BasicRole] = [:], text: String? = nil
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.role = role
        self.isAsync = isAsync
        self.needsSession = needsSession
        self.isSecret = isSecret
        self.errors = errors
        self.since = since
        self.state = state
        self.history = history
        self.isHidden = isHidden
        self.isPoolInternal = isPoolInternal
        self.mapKeyRoles = mapKeyRoles
        self.text = text
    }

    /// The name on the wire, e.g. `VDI.pool_migrate`.
    public var wireName: String { "\(className).\(name)" }

    /// How many parameters, the session aside, a caller must give at least.
    public var requiredParameterCount: Int { parameters.count { $0.defaultValue == nil } }
}
