import APITypes

/// What decides whether something may be done to a host.
struct HostOperationFacts: Sendable {
    var ref: String
    var isEnabled: Bool
    var current: [CurrentOperation<HostAllowedOperations>] = []
}

/// The operations on hosts. Hosts are not evacuated, shut down or switched on by their toolstack here, so none of that is
/// offered.
enum HostOperationRules {
    static let offered: Set<HostAllowedOperations> = [.vmStart, .vmResume, .enable]
    /// What goes beside each other.
    private static let beginnings: Set<HostAllowedOperations> = [.vmStart, .vmResume]

    static func allowed(_ facts: HostOperationFacts) -> [HostAllowedOperations] {
        HostAllowedOperations.allCases.filter { offered.contains($0) && refusal(of: $0, facts) == nil }
    }

    /// What speaks against beginning `operation`; nil when nothing does. VMs start beside each other.
    static func refusal(of operation: HostAllowedOperations, _ facts: HostOperationFacts) -> APIError? {
        if beginnings.contains(operation) && !facts.isEnabled { return APIError("HOST_DISABLED", facts.ref) }
        if operation == .enable { return nil }
        let other = facts.current.first { !beginnings.contains(operation) || !beginnings.contains($0.operation) }
        return other?.inTheWay(of: "host", facts.ref)
    }
}

/// The operations on pools: high availability, updates, certificates of other hosts, members that come and go. A pool has
/// one host here, and none of them is offered.
enum PoolOperationRules {
    static let offered: Set<PoolAllowedOperations> = []
    static func allowed() -> [PoolAllowedOperations] { PoolAllowedOperations.allCases.filter(offered.contains) }
}
