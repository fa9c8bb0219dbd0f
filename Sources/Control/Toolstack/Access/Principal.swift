public import APITypes
public import DataModel

/// Who makes a call, as far as rights and records of it go.
public struct Principal: Hashable, Sendable {
    public enum Rights: Hashable, Sendable {
        /// Nobody is logged in.
        case nothing
        /// The local superuser, and the hosts of the pool among themselves: nothing is checked.
        case everything
        /// A user, by the strongest of their roles.
        case role(BasicRole)
        /// A host that showed a certificate of the pool instead of a password.
        case clientCertificate
    }

    public let rights: Rights
    /// The name given at log-in.
    public let userName: String
    /// `subject_identifier` of the user's subject; empty for the local superuser and hosts.
    public let subjectIdentifier: String

    public init(rights: Rights, userName: String, subjectIdentifier: String = "") {
        self.rights = rights
        self.userName = userName
        self.subjectIdentifier = subjectIdentifier
    }

    public static let nobody = Principal(rights: .nothing, userName: "")

    public var isSuperuser: Bool { rights == .everything }

    public func holds(_ required: RequiredRole) -> Bool {
        switch rights {
        case .nothing: false
        case .everything: true
        case .role(let role): required.permits(role)
        case .clientCertificate: required.allowsClientCertificate
        }
    }

    /// RBAC_PERMISSION_DENIED [permission, text] unless the caller holds it.
    public func require(_ permission: Permission) throws(APIError) {
        guard !holds(permission.role) else { return }
        let needed = permission.role.weakest.map { "the role \($0.rawValue) or a stronger one has it" }
        throw APIError(
            "RBAC_PERMISSION_DENIED", permission.name,
            "this session does not have the permission: \(needed ?? "only the local superuser has it")")
    }
}
