import APITypes
import DataModel

/// One object of class `role`: a role that people have, or a leaf that stands for a single permission.
struct RoleEntry: Sendable {
    let ref: String
    let uuid: String
    let name: String
    let description: String
    /// The leaves of a role, in the order of their names; empty for a leaf.
    let subroles: [String]
    let isInternal: Bool
    /// Set for the roles that a user may be given.
    let basic: BasicRole?

    init(
        name: String, description: String, subroles: [String] = [], isInternal: Bool = false, basic: BasicRole? = nil
    ) {
        uuid = NameDigest.uuid(name)
        ref = "OpaqueRef:\(uuid)"
        self.name = name
        self.description = description
        self.subroles = subroles
        self.isInternal = isInternal
        self.basic = basic
    }

    /// The fields of the class, by their wire names.
    subscript(field name: String) -> APIValue? {
        switch name {
        case "uuid": .string(uuid)
        case "name_label": .string(self.name)
        case "name_description": .string(description)
        case "subroles": .set(subroles.map(APIValue.ref))
        case "is_internal": .bool(isInternal)
        default: nil
        }
    }
}

/// All roles. They follow from the datamodel and are the same on every pool, with the same references: nothing of them is
/// stored. Immutable.
struct RoleTable: Sendable {
    static let shared = RoleTable(.all)

    /// The leaves, then the roles from the strongest to the weakest.
    let entries: [RoleEntry]
    private let byRef: [String: RoleEntry]
    private let byUUID: [String: RoleEntry]
    private let byName: [String: RoleEntry]
    /// What `rbac_permissions` of a session says, by role: shared by all sessions of the role.
    private let names: [BasicRole: APIValue]

    private init(_ model: Datamodel) {
        let permissions = model.permissions
        let leaves = permissions.map { RoleEntry(name: $0.name, description: "Permission for \($0.name)") }
        func granted(_ holds: (RequiredRole) -> Bool) -> [String] {
            zip(permissions, leaves).filter { holds($0.0.role) }.map(\.1.ref)
        }
        var roles = BasicRole.allCases.reversed().map { role in
            RoleEntry(
                name: role.rawValue, description: Self.description(role), subroles: granted { $0.permits(role) },
                basic: role)
        }
        roles.append(
            RoleEntry(
                name: "client-cert", description: "Hosts that log in with a certificate",
                subroles: granted(\.allowsClientCertificate), isInternal: true))
        entries = leaves + roles
        byRef = Dictionary(entries.map { ($0.ref, $0) }) { first, _ in first }
        byUUID = Dictionary(entries.map { ($0.uuid, $0) }) { first, _ in first }
        byName = Dictionary(entries.map { ($0.name, $0) }) { first, _ in first }
        names = Dictionary(
            BasicRole.allCases.map { role in
                (role, .set(permissions.filter { $0.role.permits(role) }.map { .string($0.name) }))
            }
        ) { first, _ in first }
    }

    func entry(ref: String) -> RoleEntry? { byRef[ref] }
    func entry(uuid: String) -> RoleEntry? { byUUID[uuid] }
    func entry(name: String) -> RoleEntry? { byName[name] }

    /// The permissions that a role has; a leaf has itself.
    func permissions(of role: RoleEntry) -> [RoleEntry] {
        role.subroles.isEmpty && role.basic == nil && !role.isInternal ? [role] : role.subroles.compactMap(entry(ref:))
    }

    /// The roles that have the permission.
    func roles(with permission: RoleEntry) -> [RoleEntry] {
        entries.filter { $0.subroles.contains(permission.ref) }
    }

    func permissionNames(of role: BasicRole) -> APIValue { names[role] ?? .set([]) }

    /// The strongest of these roles; nil when none is one that a user may have.
    func strongest(_ refs: [Ref<Role>]) -> BasicRole? { refs.compactMap { entry(ref: $0.opaque)?.basic }.max() }

    private static func description(_ role: BasicRole) -> String {
        switch role {
        case .poolAdmin: "Everything in the pool, users and their roles included"
        case .poolOperator: "Hosts, networks, storage and all virtual machines, but not users and roles"
        case .vmPowerAdmin: "Makes, changes, moves and destroys virtual machines and their disks"
        case .vmAdmin: "Makes, changes and destroys virtual machines and their disks, and moves none"
        case .vmOperator: "Uses virtual machines: power, consoles, media, but makes and destroys none"
        case .readOnly: "Sees the pool and its state, and changes nothing"
        }
    }
}
