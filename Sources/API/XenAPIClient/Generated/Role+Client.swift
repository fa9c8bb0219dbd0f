// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `role`. A set of permissions or, without subroles, a single one. Nobody makes or changes roles.
public struct RoleRecord: XenRecord {
    /// Identifies the role: the digest of its name.
    public var uuid: String
    /// The name of the role or of the permission.
    public var nameLabel: String
    /// What it lets somebody do.
    public var nameDescription: String
    /// The permissions of a role; empty for a permission.
    public var subroles: [Ref<Role>]
    /// Whether it is for hosts and not for people.
    public var isInternal: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "role")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        subroles = try record.field("subroles")
        isInternal = try record.optional("is_internal")
    }
}

extension Role: RecordClass { public typealias Record = RoleRecord }

/// The messages of the class `role`.
public struct RoleCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = Role
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// The permissions of a role; a permission has itself.
    ///
    /// Since midnight-ride. Role: read-only.
    public func getPermissions(_ role: Ref<Role>) async throws -> [Ref<Role>] {
        try await self.caller.invoke("role.get_permissions", [role.wire])
    }

    /// The names of a role's permissions.
    ///
    /// Since midnight-ride. Role: read-only.
    public func getPermissionsNameLabel(_ role: Ref<Role>) async throws -> [String] {
        try await self.caller.invoke("role.get_permissions_name_label", [role.wire])
    }

    /// The roles that have the permission.
    ///
    /// Since midnight-ride. Role: read-only.
    public func getByPermission(_ permission: Ref<Role>) async throws -> [Ref<Role>] {
        try await self.caller.invoke("role.get_by_permission", [permission.wire])
    }

    /// The roles that have the permission of this name.
    ///
    /// Since midnight-ride. Role: read-only.
    public func getByPermissionNameLabel(label: String) async throws -> [Ref<Role>] {
        try await self.caller.invoke("role.get_by_permission_name_label", [label.wire])
    }
}
