import APITypes

/// What decides whether something may be done to a VM.
struct VMOperationFacts: Sendable {
    var ref: String
    var powerState: VMPowerState
    var isTemplate = false
    var isDefaultTemplate = false
    var isSnapshot = false
    var isControlDomain = false
    /// It must not leave its host: `platform:nomigrate` or nested virtualization.
    var isImmobile = false
    /// It writes to a disk that begins anew with each start: what it has written there goes when it lets go of the disk.
    var writesToResetDisk = false
    /// It may be cloned and copied while it is suspended: a snapshot, or any VM where the pool says so.
    var mayCopySuspended = false
    var blocked: [VMOperations: String] = [:]
    var current: [CurrentOperation<VMOperations>] = []
}

/// The operations on VMs: which may be begun, and the error for the others, in XenAPI's order of checks. Devices that
/// guests here do not have (PCI, vGPU, USB), appliances and policies are not looked at.
enum VMOperationRules {
    /// What there are messages for; nothing else is in `allowed_operations`, and neither is `powerStateReset`, which is for
    /// administrators who know better than the rows.
    static let offered: Set<VMOperations> = [
        .start, .startOn, .pause, .unpause, .powerStateReset, .cleanShutdown, .hardShutdown, .shutdown, .cleanReboot,
        .hardReboot, .destroy, .suspend, .resume, .resumeOn,
        .migrateSend, .makeIntoTemplate, .changingVCPUs, .changingDynamicRange, .changingStaticRange,
        .changingMemoryLimits, .snapshot, .checkpoint, .clone, .copy, .revert, .metadataExport,
    ]

    static func allowed(_ facts: VMOperationFacts) -> [VMOperations] {
        VMOperations.allCases.filter {
            offered.contains($0) && $0 != .powerStateReset && refusal(of: $0, facts) == nil
        }
    }

    /// What speaks against beginning `operation`; nil when nothing does.
    static func refusal(of operation: VMOperations, _ facts: VMOperationFacts) -> APIError? {
        if let code = facts.blocked[operation] { return APIError("OPERATION_BLOCKED", facts.ref, code) }
        if let error = requireState(for: operation, facts) { return error }
        if let other = facts.current.first, !mayOverlap(operation, facts.current.map(\.operation)) {
            return other.inTheWay(of: "VM", facts.ref)
        }
        if facts.isTemplate && !isForTemplates(operation, isDefault: facts.isDefaultTemplate) {
            return APIError("VM_IS_TEMPLATE", facts.ref, operation.rawValue)
        }
        if facts.isSnapshot && !forSnapshots.contains(operation) {
            return APIError("VM_IS_SNAPSHOT", facts.ref, operation.rawValue)
        }
        if operation == .provision && !facts.isTemplate { return APIError("PROVISION_ONLY_ALLOWED_ON_TEMPLATE") }
        if operation == .revert && !facts.isSnapshot { return APIError("REVERT_ONLY_ALLOWED_ON_SNAPSHOT") }
        if facts.isImmobile && needsMobility.contains(operation) { return APIError("VM_IS_IMMOBILE", facts.ref) }
        if facts.writesToResetDisk && (operation == .suspend || operation == .checkpoint) {
            return APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION")
        }
        if facts.isControlDomain && !forControlDomains.contains(operation) {
            return APIError("OPERATION_NOT_ALLOWED", "the control domain is the host itself")
        }
        return nil
    }

    /// VM_BAD_POWER_STATE [vm, expected, actual], names in lower case.
    static func requireState(for operation: VMOperations, _ facts: VMOperationFacts) -> APIError? {
        var expected = states(for: operation)
        if facts.mayCopySuspended, operation == .clone || operation == .copy { expected.append(.suspended) }
        if expected.isEmpty || expected.contains(facts.powerState) { return nil }
        return APIError(
            "VM_BAD_POWER_STATE", facts.ref, expected.map { $0.rawValue.lowercased() }.joined(separator: ", "),
            facts.powerState.rawValue.lowercased())
    }

    /// The power states in which an operation can begin; empty: in any. The dynamic range is that of a halted VM only:
    /// guests have no balloon yet.
    private static func states(for operation: VMOperations) -> [VMPowerState] {
        switch operation {
        case .start, .startOn, .provision, .makeIntoTemplate, .clone, .copy, .createTemplate, .changingVCPUs,
            .changingStaticRange, .changingDynamicRange, .changingMemoryLimits, .changingShadowMemory, .changingNVRAM,
            .createVTPM, .import:
            [.halted]
        case .migrateSend: [.halted, .suspended, .running]
        case .poolMigrate, .suspend, .pause, .cleanShutdown, .cleanReboot, .shutdown, .sendSysrq, .sendTrigger,
            .callPlugin, .changingMemoryLive, .awaitingMemoryLive, .changingShadowMemoryLive, .changingVCPUsLive,
            .snapshotWithQuiesce, .sysprep:
            [.running]
        case .destroy, .export: [.halted, .suspended]
        case .hardShutdown, .checkpoint: [.paused, .suspended, .running]
        case .hardReboot: [.paused, .running]
        case .resume, .resumeOn: [.suspended]
        case .unpause: [.paused]
        case .snapshot, .revert, .reverting, .powerStateReset, .csvm, .getBootRecord, .queryServices,
            .assertOperationValid, .dataSourceOp, .updateAllowedOperations, .metadataExport:
            []
        }
    }

    /// Whether an operation can begin beside those that are in progress. A hard shutdown is what helps when another
    /// operation hangs.
    private static func mayOverlap(_ operation: VMOperations, _ current: [VMOperations]) -> Bool {
        // A guest is saved once at a time.
        if operation == .checkpoint, current.contains(.checkpoint) { return false }
        for group: Set<VMOperations> in [[.clone, .copy, .export], [.snapshot, .checkpoint]]
        where group.contains(operation) && current.allSatisfy(group.contains) {
            return true
        }
        if current == [.migrateSend], [.metadataExport, .cleanShutdown, .cleanReboot].contains(operation) {
            return true
        }
        switch operation {
        case .hardShutdown: return !current.contains(.hardShutdown)
        case .hardReboot: return !current.contains(.hardShutdown) && !current.contains(.hardReboot)
        default: return false
        }
    }

    private static func isForTemplates(_ operation: VMOperations, isDefault: Bool) -> Bool {
        switch operation {
        case .changingVCPUs, .changingDynamicRange, .changingStaticRange, .changingMemoryLimits,
            .changingShadowMemory, .changingNVRAM, .clone, .copy, .export, .metadataExport, .provision:
            true
        case .destroy, .migrateSend: !isDefault
        default: false
        }
    }

    private static let forSnapshots: Set<VMOperations> = [
        .revert, .clone, .copy, .export, .destroy, .hardShutdown, .metadataExport,
    ]
    private static let needsMobility: Set<VMOperations> = [.suspend, .checkpoint, .poolMigrate, .migrateSend]
    private static let forControlDomains: Set<VMOperations> = [
        .dataSourceOp, .changingMemoryLive, .awaitingMemoryLive, .metadataExport, .changingDynamicRange,
    ]
}
