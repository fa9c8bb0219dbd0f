import APITypes

/// What decides whether something may be done to an SR.
struct SROperationFacts: Sendable {
    var ref: String
    var features: Set<String>
    var isTools = false
    var hasPBD: Bool
    var isPlugged: Bool
    /// It has managed VDIs that are not only its statistics.
    var holdsDisks = false
    var current: [CurrentOperation<StorageOperations>] = []
}

/// The operations on SRs: which may be begun, and the error for the others, in XenAPI's order of checks.
///
/// XenAPI lets operations on the disks of an SR, and scans, wait for each other. The managers here can do them at once, so
/// they overlap; what takes the SR away, or brings it, stays alone.
enum SROperationRules {
    /// What there are messages for.
    static let offered: Set<StorageOperations> = [
        .scan, .destroy, .forget, .plug, .unplug, .vdiCreate, .vdiDestroy, .vdiResize, .vdiMirror, .vdiSnapshot,
        .vdiClone, .vdiRevert, .pbdCreate, .pbdDestroy, .update, .vdiIntroduce,
        .vdiEnableCBT, .vdiDisableCBT, .vdiDataDestroy, .vdiListChangedBlocks,
    ]

    static func allowed(_ facts: SROperationFacts) -> [StorageOperations] {
        StorageOperations.allCases.filter { offered.contains($0) && refusal(of: $0, facts) == nil }
    }

    /// What speaks against beginning `operation`; nil when nothing does.
    static func refusal(of operation: StorageOperations, _ facts: SROperationFacts) -> APIError? {
        if let feature = feature(for: operation), !facts.features.contains(feature) {
            return APIError("SR_OPERATION_NOT_SUPPORTED", facts.ref)
        }
        if facts.isTools && (operation == .vdiCreate || operation == .vdiDestroy) {
            return APIError("SR_OPERATION_NOT_SUPPORTED", facts.ref)
        }
        if operation == .destroy || operation == .forget {
            if facts.isPlugged { return APIError("SR_HAS_PBD", facts.ref) }
        }
        if operation == .destroy {
            if !facts.hasPBD { return APIError("SR_HAS_NO_PBDS", facts.ref) }
            if facts.holdsDisks { return APIError("SR_NOT_EMPTY") }
        }
        return facts.current.first { !mayOverlap(operation, $0.operation) }?.inTheWay(of: "SR", facts.ref)
    }

    private static func mayOverlap(_ operation: StorageOperations, _ current: StorageOperations) -> Bool {
        operation == .plug ? current == .plug : isShared(operation) && isShared(current)
    }

    private static func isShared(_ operation: StorageOperations) -> Bool {
        switch operation {
        case .destroy, .forget, .plug, .unplug, .pbdCreate, .pbdDestroy: false
        default: true
        }
    }

    /// The feature of the storage manager that an operation needs.
    private static func feature(for operation: StorageOperations) -> String? {
        switch operation {
        case .vdiCreate: "VDI_CREATE"
        case .vdiDestroy: "VDI_DELETE"
        case .vdiResize: "VDI_RESIZE"
        case .vdiIntroduce: "VDI_INTRODUCE"
        case .vdiSnapshot: "VDI_SNAPSHOT"
        case .vdiMirror: "VDI_MIRROR"
        case .vdiEnableCBT, .vdiDisableCBT, .vdiDataDestroy, .vdiListChangedBlocks: "VDI_CONFIG_CBT"
        case .vdiSetOnBoot: "VDI_RESET_ON_BOOT"
        case .vdiRevert: "VDI_REVERT"
        case .update: "SR_UPDATE"
        default: nil
        }
    }

    /// What an operation on a VDI is to its SR; nil where the SR does not care.
    static func operation(of disk: VDIOperations) -> StorageOperations? {
        switch disk {
        case .destroy: .vdiDestroy
        case .snapshot: .vdiSnapshot
        case .clone: .vdiClone
        case .resize, .resizeOnline: .vdiResize
        case .revertTo, .revertFrom: .vdiRevert
        case .mirror: .vdiMirror
        case .setOnBoot: .vdiSetOnBoot
        case .enableCBT: .vdiEnableCBT
        case .disableCBT: .vdiDisableCBT
        case .dataDestroy: .vdiDataDestroy
        case .listChangedBlocks: .vdiListChangedBlocks
        case .copy, .update, .forget, .forceUnlock, .generateConfig, .blocked: nil
        }
    }
}
