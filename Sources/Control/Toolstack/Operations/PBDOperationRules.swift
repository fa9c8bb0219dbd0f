import APITypes

/// What can be done to a PBD. Its class has no `allowed_operations`; what it does to the SR has.
enum PBDOperation: Sendable, CaseIterable {
    case plug
    case unplug
    case destroy

    /// What it is to the SR.
    var repositoryOperation: StorageOperations {
        switch self {
        case .plug: .plug
        case .unplug: .unplug
        case .destroy: .pbdDestroy
        }
    }
}

/// What decides whether it may be done, beside the SR's own rules.
struct PBDOperationFacts: Sendable {
    var repository: String
    var isAttached: Bool
    /// A VDI of the SR that somebody has attached, is about to, or works on.
    var usedDisk: String?
}

enum PBDOperationRules {
    /// What speaks against beginning `operation`; nil when nothing does. To plug what is plugged, and to unplug what is not,
    /// is no mistake.
    static func refusal(of operation: PBDOperation, _ facts: PBDOperationFacts) -> APIError? {
        switch operation {
        case .plug: nil
        case .unplug: facts.isAttached ? facts.usedDisk.map { APIError("VDI_IN_USE", $0, "PBD.unplug") } : nil
        case .destroy: facts.isAttached ? APIError("SR_HAS_PBD", facts.repository) : nil
        }
    }
}
