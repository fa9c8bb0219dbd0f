/// A class of the datamodel. Each is declared in a file of its own under `Classes/`.
public struct ClassDeclaration: Hashable, Sendable {
    /// The exact wire spelling, e.g. `VDI`, `host`.
    public let name: String
    public let since: String
    public let state: LifecycleState
    public let history: History
    /// Objects of the class are rows of the database: there is get_record, get_by_uuid and a getter per field.
    public let inDatabase: Bool
    /// The rows survive a restart.
    public let isPersistent: Bool
    /// Changes are reported by event.from.
    public let generatesEvents: Bool
    /// `create` and `destroy` exist by implication.
    public let hasCreateDestroy: Bool
    /// get_all and its relatives exist.
    public let hasGetAllFamily: Bool
    /// For `create` and `destroy`.
    public let defaultRole: RequiredRole
    /// For get_record and the other implied readers.
    public let implicitRole: RequiredRole
    /// What objects of the class are, for people; nil for classes that nothing here implements.
    public let text: String?
    /// In datamodel order, which is the order of record members.
    public internal(set) var fields: [FieldDeclaration]
    /// The messages written out for this class, without the implied ones.
    public internal(set) var messages: [MessageDeclaration]

    public init(
        name: String, since: String, state: LifecycleState = .published, history: History = .none,
        inDatabase: Bool = true, isPersistent: Bool = true,
        generatesEvents: Bool = true, hasCreateDestroy: Bool = false,
        hasGetAllFamily: Bool = true, defaultRole: RequiredRole, implicitRole: RequiredRole = .readOnly,
        text: String? = nil,
        fields: [FieldDeclaration], messages: [MessageDeclaration]
    ) {
        self.name = name
        self.since = since
        self.state = state
        self.history = history
        self.inDatabase = inDatabase
        self.isPersistent = isPersistent
        self.generatesEvents = generatesEvents
        self.hasCreateDestroy = hasCreateDestroy
        self.hasGetAllFamily = hasGetAllFamily
        self.defaultRole = defaultRole
        self.implicitRole = implicitRole
        self.text = text
        self.fields = fields
        self.messages = messages.map { message in
            var message = message
            message.className = name
            return message
        }
    }

    public func field(_ name: String) -> FieldDeclaration? { fields.first { $0.name == name } }

    /// The fields a record shows: all but the internal ones.
    public var recordFields: [FieldDeclaration] { fields.filter { !$0.isInternal } }

    /// The members of the struct that `create` takes.
    public var creationFields: [FieldDeclaration] {
        recordFields.filter { $0.qualifier != .dynamicReadOnly }
    }

    /// The class has the usual pair of name fields. A pool's `name_label` is a field like any other and does not count.
    public var hasNameLabel: Bool { fields.contains { $0.path == ["name", "label"] && !$0.isInternal } }
}
