import APITypes

/// What decides whether something may be done to a VDI.
struct VDIOperationFacts: Sendable {
    var ref: String
    var type: VDIType = .user
    var isManaged = true
    var isReadOnly = false
    var isSharable = false
    var isSnapshot = false
    var hasChangeTracking = false
    var resetsOnBoot = false
    var isEncrypted = false
    var current: [CurrentOperation<VDIOperations>] = []
    /// The modes of the VBDs that have it attached or are about to.
    var users: [VBDMode] = []
    /// A suspended VM has it: its memory knows what the disk holds.
    var isOfSuspendedVM = false
    /// The checkpoint of a VM that has it in a drive, with the VM: its snapshot is made when the VM's guest stands.
    var checkpoint: (vm: String, operation: CurrentOperation<VMOperations>)?
    /// An operation on one of its VBDs, with the VBD.
    var busyVBD: (ref: String, operation: CurrentOperation<VBDOperations>)?
    var repository: VDIRepositoryFacts
}

/// The same of the SR that holds it.
struct VDIRepositoryFacts: Sendable {
    var ref: String
    var type: String
    var isTools = false
    var isPlugged: Bool
    var features: Set<String>
}

/// The operations on VDIs: which may be begun, and the error for the others, in XenAPI's order of checks. High
/// availability and upgrades, which the order has too, do not exist here.
enum VDIOperationRules {
    /// What there are messages for and clients look for. A move (`mirror`) is never listed, nor is a revert: clients of older
    /// schemas do not know the words.
    static let offered: Set<VDIOperations> = [
        .snapshot, .clone, .copy, .resize, .resizeOnline, .destroy, .forget, .update,
    ]

    static func allowed(_ facts: VDIOperationFacts) -> [VDIOperations] {
        VDIOperations.allCases.filter { offered.contains($0) && refusal(of: $0, facts) == nil }
    }

    /// What speaks against beginning `operation`; nil when nothing does.
    static func refusal(of operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        checkConcurrency(operation, facts) ?? checkUsers(operation, facts) ?? checkFeature(operation, facts)
            ?? checkTracking(operation, facts) ?? checkKind(operation, facts)
    }

    /// What speaks against changing a flag that decides how the disk is opened: whoever has it keeps what they were given.
    /// VDI_IN_USE [vdi, message].
    static func refusal(ofChanging field: String, _ facts: VDIOperationFacts) -> APIError? {
        if let other = facts.current.first { return other.inTheWay(of: "VDI", facts.ref) }
        if let (vm, other) = facts.checkpoint { return other.inTheWay(of: "VM", vm) }
        if !facts.users.isEmpty || facts.isOfSuspendedVM { return APIError("VDI_IN_USE", facts.ref, "set_\(field)") }
        return facts.busyVBD.map { $0.operation.inTheWay(of: "VBD", $0.ref) }
    }

    /// What speaks against writing other content into the disk, besides what does against `update`, under which it is shown:
    /// the memory of a suspended guest knows what the disk holds. VDI_IN_USE [vdi, operation], VDI_NOT_MANAGED [vdi], VDI_READONLY [vdi].
    static func refusal(ofOverwriting facts: VDIOperationFacts) -> APIError? {
        if let refusal = refusal(of: .update, facts) { return refusal }
        if facts.isOfSuspendedVM { return APIError("VDI_IN_USE", facts.ref, VDIOperations.update.rawValue) }
        // What other disks stand on, or a copy that is being filled: their sizes may be read.
        if !facts.isManaged { return APIError("VDI_NOT_MANAGED", facts.ref) }
        return facts.isReadOnly ? APIError("VDI_READONLY", facts.ref) : nil
    }

    /// What reads the image goes beside what reads it. A copy here is no VBD: the rest would find the image locked. What is over in
    /// moments, and leaves the disk as it is, goes on while the memory of a guest is saved for a checkpoint.
    private static func checkConcurrency(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        let other = facts.current.first { $0.operation != .copy } ?? (operation == .copy ? nil : facts.current.first)
        if let other { return other.inTheWay(of: "VDI", facts.ref) }
        if let (vm, other) = facts.checkpoint, operation != .snapshot, operation != .clone {
            return other.inTheWay(of: "VM", vm)
        }
        if operation == .resize || operation == .resizeOnline, !facts.repository.isPlugged {
            return APIError("SR_HAS_NO_PBDS", facts.repository.ref)
        }
        return nil
    }

    private static func checkUsers(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        if !facts.users.isEmpty && !isSafeWhileAttached(operation, facts) {
            return APIError("VDI_IN_USE", facts.ref, operation.rawValue)
        }
        if facts.isOfSuspendedVM, notForSuspended.contains(operation) {
            return APIError("VDI_IN_USE", facts.ref, operation.rawValue)
        }
        if operation != .dataDestroy, let busy = facts.busyVBD { return busy.operation.inTheWay(of: "VBD", busy.ref) }
        return nil
    }

    /// The guest goes on with the disk as it was, and has its old size, content and ways in its memory.
    private static let notForSuspended: Set<VDIOperations> = [
        .destroy, .resize, .resizeOnline, .revertFrom, .setOnBoot, .forget,
    ]

    private static func isSafeWhileAttached(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> Bool {
        switch operation {
        case .snapshot, .resizeOnline, .blocked, .clone, .revertTo, .mirror, .enableCBT, .disableCBT, .dataDestroy:
            true
        // The data path opens what can be written for writing, whatever the VBD says.
        case .copy: facts.isReadOnly && !facts.users.contains(.rw)
        default: false
        }
    }

    private static func checkFeature(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        guard let feature = feature(for: operation), !facts.repository.features.contains(feature) else { return nil }
        return APIError("SR_OPERATION_NOT_SUPPORTED", facts.repository.ref)
    }

    /// The feature of the storage manager that an operation needs.
    private static func feature(for operation: VDIOperations) -> String? {
        switch operation {
        case .snapshot: "VDI_SNAPSHOT"
        case .destroy: "VDI_DELETE"
        case .resize: "VDI_RESIZE"
        case .resizeOnline: "VDI_RESIZE_ONLINE"
        case .update: "VDI_UPDATE"
        case .generateConfig: "VDI_GENERATE_CONFIG"
        case .clone, .revertTo, .revertFrom: "VDI_CLONE"
        case .mirror: "VDI_MIRROR"
        case .enableCBT, .disableCBT, .dataDestroy, .listChangedBlocks: "VDI_CONFIG_CBT"
        case .setOnBoot: "VDI_RESET_ON_BOOT"
        case .forget, .copy, .forceUnlock, .blocked: nil
        }
    }

    private static func checkTracking(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        if facts.type == .cbtMetadata && notForTracking.contains(operation) {
            return APIError("VDI_INCOMPATIBLE_TYPE", facts.ref, "CBT metadata")
        }
        // XenAPI refuses to move such a disk. Here its log moves with it, where it can: `MoveSurvey` says.
        if facts.hasChangeTracking && operation == .setOnBoot {
            return APIError("VDI_CBT_ENABLED", facts.ref)
        }
        return nil
    }

    private static let notForTracking: Set<VDIOperations> = [
        .clone, .copy, .enableCBT, .disableCBT, .mirror, .resize, .resizeOnline, .snapshot, .revertTo, .revertFrom,
        .setOnBoot,
    ]

    private static let forUnmanaged: Set<VDIOperations> = [.forget, .update, .mirror]

    private static func checkKind(_ operation: VDIOperations, _ facts: VDIOperationFacts) -> APIError? {
        // What other disks stand on. Its row may be forgotten, and its sizes read.
        if !facts.isManaged && !forUnmanaged.contains(operation) { return APIError("VDI_NOT_MANAGED", facts.ref) }
        let reset = facts.resetsOnBoot ? APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION") : nil
        switch operation {
        case .destroy, .revertFrom, .dataDestroy:
            if facts.repository.type == "udev" { return APIError("VDI_IS_A_PHYSICAL_DEVICE", facts.ref) }
            if facts.repository.isTools { return APIError("SR_OPERATION_NOT_SUPPORTED", facts.repository.ref) }
            if facts.type == .rrd { return APIError("VDI_HAS_RRDS", facts.ref) }
            if operation != .dataDestroy { return nil }
            if !facts.isSnapshot { return APIError("OPERATION_NOT_ALLOWED", "\(facts.ref) is not a snapshot") }
            return facts.hasChangeTracking ? nil : APIError("VDI_NO_CBT_METADATA", facts.ref)
        case .forget: return facts.type == .rrd ? APIError("VDI_HAS_RRDS", facts.ref) : nil
        case .snapshot: return facts.isSharable ? APIError("VDI_IS_SHARABLE", facts.ref) : reset
        case .copy, .resizeOnline: return reset
        // A guest writes to what goes with its end.
        case .clone: return facts.users.isEmpty ? nil : reset
        case .enableCBT, .disableCBT:
            if facts.isSnapshot { return APIError("OPERATION_NOT_ALLOWED", "\(facts.ref) is a snapshot") }
            if facts.type != .user && facts.type != .system {
                return APIError("VDI_INCOMPATIBLE_TYPE", facts.ref, facts.type.rawValue)
            }
            return reset
        // XenAPI raises this one without declaring it among its errors.
        case .revertTo: return facts.isSnapshot ? nil : APIError("REVERT_ONLY_ALLOWED_ON_SNAPSHOT")
        case .mirror:
            if facts.isEncrypted { return APIError("VDI_IS_ENCRYPTED", facts.ref) }
            if facts.resetsOnBoot { return ErrorMapping.resetsOnBoot(facts.ref) }
            return facts.isManaged ? nil : APIError("VDI_NOT_MANAGED", facts.ref)
        default: return nil
        }
    }
}
