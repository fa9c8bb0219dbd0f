/// A right, by its name in the role tables: what `RBAC_PERMISSION_DENIED` names and what a session's
/// `rbac_permissions` lists.
public struct Permission: Hashable, Sendable {
    /// Lower case for messages: `vdi.pool_migrate`, `vm.add_to_other_config/key:pci`; `http/put_import_raw_vdi`.
    public let name: String
    public let role: RequiredRole

    public init(_ name: String, _ role: RequiredRole) {
        self.name = name
        self.role = role
    }
}

extension MessageDeclaration {
    /// The right to call the message.
    public var permission: Permission { Permission(wireName.lowercased(), role) }

    /// The right to change the entry `key` of a map: some entries have rights of their own, which replace the message's.
    public func permission(forKey key: String) -> Permission {
        if let role = mapKeyRoles[key] { return permission(guarding: key, role) }
        let patterns = mapKeyRoles.filter { $0.key.hasSuffix("*") && key.hasPrefix($0.key.dropLast()) }
        guard let longest = patterns.max(by: { $0.key.count < $1.key.count }) else { return permission }
        return permission(guarding: longest.key, longest.value)
    }

    /// The rights to single entries of the map, in the order of their names.
    public var keyPermissions: [Permission] {
        mapKeyRoles.map { permission(guarding: $0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    private func permission(guarding key: String, _ role: BasicRole) -> Permission {
        Permission("\(wireName)/key:\(key)".lowercased(), RequiredRole(role))
    }
}

extension HTTPHandlerDeclaration {
    /// The right to use the path at all.
    public var permission: Permission { Permission("http/\(name)", role) }

    /// The rights to what can be asked inside the handler, in the order of their names.
    public var subPermissions: [Permission] {
        subActions.map { Permission("http/\($0.key)", $0.value) }.sorted { $0.name < $1.name }
    }
}

extension Datamodel {
    /// Every right there is, each once, in the order of the names.
    public var permissions: [Permission] {
        var all: [String: Permission] = [:]
        for message in messages {
            for permission in [message.permission] + message.keyPermissions { all[permission.name] = permission }
        }
        for handler in httpHandlers {
            for permission in [handler.permission] + handler.subPermissions { all[permission.name] = permission }
        }
        return all.values.sorted { $0.name < $1.name }
    }
}
