/// The roles a user may have, from the weakest to the strongest.
public enum BasicRole: String, CaseIterable, Sendable, Comparable {
    case readOnly = "read-only"
    case vmOperator = "vm-operator"
    case vmAdmin = "vm-admin"
    case vmPowerAdmin = "vm-power-admin"
    case poolOperator = "pool-operator"
    case poolAdmin = "pool-admin"

    public static func < (left: BasicRole, right: BasicRole) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .readOnly: 0
        case .vmOperator: 1
        case .vmAdmin: 2
        case .vmPowerAdmin: 3
        case .poolOperator: 4
        case .poolAdmin: 5
        }
    }
}

/// What a message asks of its caller.
public struct RequiredRole: Hashable, Sendable {
    /// The weakest role that may call; nil when only the local superuser and pool-secret sessions may.
    public let weakest: BasicRole?
    /// The internal `client-cert` role may call too.
    public let allowsClientCertificate: Bool

    public init(_ weakest: BasicRole?, allowsClientCertificate: Bool = false) {
        self.weakest = weakest
        self.allowsClientCertificate = allowsClientCertificate
    }

    public static let readOnly = RequiredRole(.readOnly)
    public static let vmOperator = RequiredRole(.vmOperator)
    public static let vmAdmin = RequiredRole(.vmAdmin)
    public static let vmPowerAdmin = RequiredRole(.vmPowerAdmin)
    public static let poolOperator = RequiredRole(.poolOperator)
    public static let poolAdmin = RequiredRole(.poolAdmin)
    public static let localRootOnly = RequiredRole(nil)
    public static let vmOperatorOrClientCertificate = RequiredRole(.vmOperator, allowsClientCertificate: true)
    public static let vmPowerAdminOrClientCertificate = RequiredRole(.vmPowerAdmin, allowsClientCertificate: true)
    public static let poolOperatorOrClientCertificate = RequiredRole(.poolOperator, allowsClientCertificate: true)

    /// As the reference writes it: `vm-admin`, `pool-operator+client-cert`, `local-root-only`.
    public var name: String {
        guard let weakest else { return "local-root-only" }
        return weakest.rawValue + (allowsClientCertificate ? "+client-cert" : "")
    }

    /// Whether a user whose strongest role is `role` may call.
    public func permits(_ role: BasicRole) -> Bool {
        guard let weakest else { return false }
        return role >= weakest
    }
}
