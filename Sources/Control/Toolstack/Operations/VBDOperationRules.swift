import APITypes

/// What decides whether something may be done to a VBD.
struct VBDOperationFacts: Sendable {
    var ref: String
    var type: VBDType = .disk
    var mode: VBDMode = .rw
    var isUnpluggable = true
    var isEmpty = false
    /// Attached, or about to be.
    var isAttached = false
    var current: [CurrentOperation<VBDOperations>] = []
    var machine: VBDMachineFacts
    /// Nil for an empty VBD, or one whose VDI is gone.
    var disk: VBDDiskFacts?
}

/// The same of its VM.
struct VBDMachineFacts: Sendable {
    var ref: String
    var powerState: VMPowerState
    var isControlDomain = false
    var current: [CurrentOperation<VMOperations>] = []
}

/// The same of its VDI.
struct VBDDiskFacts: Sendable {
    var ref: String
    var isManaged = true
    var isReadOnly = false
    var isSharable = false
    var isSnapshot = false
    var current: [CurrentOperation<VDIOperations>] = []
    /// The modes of the other VBDs that have it attached or are about to.
    var otherUsers: [VBDMode] = []
}

/// The operations on VBDs: which may be begun, and the error for the others, in XenAPI's order of checks. Guests here
/// have the drivers that plugging needs.
enum VBDOperationRules {
    /// What there are messages for; `attach` is what a start of the VM does.
    static let offered: Set<VBDOperations> = [.attach, .eject, .insert, .plug, .unplug, .unplugForce]

    static func allowed(_ facts: VBDOperationFacts) -> [VBDOperations] {
        VBDOperations.allCases.filter { offered.contains($0) && refusal(of: $0, facts, isCall: false) == nil }
    }

    /// What speaks against beginning `operation`; nil when nothing does. `isCall`: it is about to begin, and not only asked
    /// for; who shares the disk counts only then.
    static func refusal(of operation: VBDOperations, _ facts: VBDOperationFacts, isCall: Bool) -> APIError? {
        checkSelf(operation, facts) ?? checkMachine(operation, facts) ?? checkDisk(operation, facts, isCall: isCall)
            ?? (operation == .plug && facts.isEmpty ? APIError("VBD_IS_EMPTY", facts.ref) : nil)
    }

    /// What speaks against the mode: XenAPI changes that of a halted VM's drive only. The control domain never halts: there
    /// it is that of an unplugged one.
    static func refusal(ofMode mode: VBDMode, _ facts: VBDOperationFacts) -> APIError? {
        if let other = facts.current.first { return other.inTheWay(of: "VBD", facts.ref) }
        if facts.type == .cd && mode == .rw { return APIError("VBD_CDS_MUST_BE_READONLY") }
        let machine = facts.machine
        if !machine.isControlDomain && machine.powerState != .halted {
            return APIError("VM_BAD_POWER_STATE", machine.ref, "halted", machine.powerState.rawValue.lowercased())
        }
        return facts.isAttached ? APIError("DEVICE_ALREADY_ATTACHED", facts.ref) : nil
    }

    private static func checkSelf(_ operation: VBDOperations, _ facts: VBDOperationFacts) -> APIError? {
        if let other = facts.current.first, operation != .pause, operation != .unpause {
            return other.inTheWay(of: "VBD", facts.ref)
        }
        switch operation {
        case .unplug, .unplugForce: return facts.isUnpluggable ? nil : APIError("VBD_NOT_UNPLUGGABLE", facts.ref)
        case .insert, .eject:
            if facts.type != .cd { return APIError("VBD_NOT_REMOVABLE_MEDIA", facts.ref) }
            if operation == .eject && facts.isEmpty { return APIError("VBD_IS_EMPTY", facts.ref) }
            return operation == .insert && !facts.isEmpty ? APIError("VBD_NOT_EMPTY", facts.ref) : nil
        default: return nil
        }
    }

    private static func checkMachine(_ operation: VBDOperations, _ facts: VBDOperationFacts) -> APIError? {
        let machine = facts.machine
        switch operation {
        case .plug, .unplug, .unplugForce:
            guard machine.powerState == .running else { return badState(machine) }
            if operation == .plug && facts.isAttached { return APIError("DEVICE_ALREADY_ATTACHED", facts.ref) }
            if operation != .plug && !facts.isAttached { return APIError("DEVICE_ALREADY_DETACHED", facts.ref) }
            // What is forced helps a guest that hangs in an operation. One that is being saved is cut off itself.
            let ending: Set<VMOperations> =
                operation == .unplugForce
                ? [.suspend, .checkpoint]
                : [.cleanShutdown, .hardShutdown, .shutdown, .suspend, .checkpoint, .pause]
            if let other = machine.current.map(\.operation).first(where: ending.contains) {
                return APIError("OPERATION_NOT_ALLOWED", "the VM is in the operation \(other.rawValue)")
            }
            if facts.type == .cd && !machine.isControlDomain {
                return APIError("OPERATION_NOT_ALLOWED", "a CD drive stays while its VM runs")
            }
            return nil
        case .pause, .unpause:
            return [.running, .paused].contains(machine.powerState) ? nil : badState(machine)
        // Nobody could say whether a guest that starts, ends or is saved meanwhile has the disc.
        case .insert, .eject:
            return machine.powerState == .suspended
                ? badState(machine) : machine.current.first?.inTheWay(of: "VM", machine.ref)
        case .attach: return nil
        }
    }

    private static func badState(_ machine: VBDMachineFacts) -> APIError {
        APIError("VM_BAD_POWER_STATE", machine.ref, "running", machine.powerState.rawValue.lowercased())
    }

    /// A disk that somebody writes belongs to one user. A move or a copy goes on beside its users; the move of a snapshot does not:
    /// its data path is not handed over.
    private static func checkDisk(
        _ operation: VBDOperations, _ facts: VBDOperationFacts, isCall: Bool
    ) -> APIError? {
        guard let disk = facts.disk else { return nil }
        if !disk.isManaged { return APIError("VDI_NOT_MANAGED", disk.ref) }
        guard [.attach, .plug, .insert].contains(operation) else { return nil }
        if let other = disk.current.first(where: {
            $0.operation != .copy && ($0.operation != .mirror || disk.isSnapshot)
        }) {
            return other.inTheWay(of: "VDI", disk.ref)
        }
        guard isCall else { return nil }
        if !disk.isSharable, disk.otherUsers.contains(.rw) || (facts.mode == .rw && !disk.otherUsers.isEmpty) {
            return APIError("VDI_IN_USE", disk.ref)
        }
        return facts.mode == .rw && disk.isReadOnly ? APIError("VDI_READONLY", disk.ref) : nil
    }
}
