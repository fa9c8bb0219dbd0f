/// A field of a class.
public struct FieldDeclaration: Hashable, Sendable {
    /// Who may write a field.
    public enum Qualifier: String, Sendable {
        /// Clients, through the generated setters.
        case readWrite = "RW"
        /// The creator of the object, once.
        case staticReadOnly = "StaticRO"
        /// The toolstack only.
        case dynamicReadOnly = "DynamicRO"
    }

    /// The wire name, e.g. `virtual_size`.
    public let name: String
    public let type: ModelType
    public let qualifier: Qualifier
    /// Nil: whoever creates the object says the value.
    public let defaultValue: DefaultValue?
    /// The release that brought the field.
    public let since: String
    public let state: LifecycleState
    public let history: History
    public let getterRole: RequiredRole
    /// Nil unless `qualifier` is `.readWrite`.
    public let setterRole: RequiredRole?
    /// Roles for single keys of a map, by key; a trailing `*` stands for any rest.
    public let mapKeyRoles: [String: BasicRole]
    /// The namespace path when the wire name has one, e.g. `["name", "label"]`; empty otherwise.
    public let path: [String]
    /// Never sent to clients: not in records, no accessors.
    public internal(set) var isInternal: Bool
    /// Survives a restart of the toolstack.
    public let isPersistent: Bool
    /// The setter does more than write the database.
    public let setterHasEffect: Bool
    /// What the field says, for people; nil where nothing here gives it a meaning.
    public let text: String?

    public init(
        _ name: String, _ type: ModelType, _ qualifier: Qualifier, _ defaultValue: DefaultValue? = nil, since: String,
        state: LifecycleState = .published, history: History = .none, getterRole: RequiredRole = .readOnly,
        setterRole: RequiredRole? = nil, mapKeyRoles: [String: BasicRole] = [:], path: [String] = [],
        isInternal: Bool = false, isPersistent: Bool = true, setterHasEffect: Bool = false, text: String? = nil
    ) {
        self.name = name
        self.type = type
        self.qualifier = qualifier
        self.defaultValue = defaultValue
        self.since = since
        self.state = state
        self.history = history
        self.getterRole = getterRole
        self.setterRole = setterRole
        self.mapKeyRoles = mapKeyRoles
        self.path = path
        self.isInternal = isInternal
        self.isPersistent = isPersistent
        self.setterHasEffect = setterHasEffect
        self.text = text
    }

    /// The name in queries and in MAP_DUPLICATE_KEY: the namespace path joined with double underscores.
    public var columnName: String { path.isEmpty ? name : path.joined(separator: "__") }
}
