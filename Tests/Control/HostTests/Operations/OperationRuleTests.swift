import APITypes
import Testing

@testable import Toolstack

/// The rules about operations, without rows: what may begin, and the error for the rest.
@Suite struct OperationRuleTests {
    private func busy<O: APIEnumeration>(_ operations: O...) -> [CurrentOperation<O>] {
        operations.enumerated().map { CurrentOperation(operation: $1, task: "T\($0)") }
    }

    // MARK: VM

    private func vm(
        _ state: VMPowerState, _ current: [CurrentOperation<VMOperations>] = [],
        _ edit: (inout VMOperationFacts) -> Void = { _ in }
    ) -> VMOperationFacts {
        var facts = VMOperationFacts(ref: "V", powerState: state)
        facts.current = current
        edit(&facts)
        return facts
    }

    @Test(arguments: [
        (VMOperations.start, [VMPowerState.halted]), (.startOn, [.halted]), (.makeIntoTemplate, [.halted]),
        (.changingVCPUs, [.halted]), (.cleanShutdown, [.running]), (.cleanReboot, [.running]), (.pause, [.running]),
        (.suspend, [.running]), (.poolMigrate, [.running]), (.migrateSend, [.halted, .suspended, .running]),
        (.destroy, [.halted, .suspended]), (.export, [.halted, .suspended]), (.hardReboot, [.paused, .running]),
        (.hardShutdown, [.paused, .suspended, .running]), (.checkpoint, [.paused, .suspended, .running]),
        (.resume, [.suspended]), (.unpause, [.paused]), (.snapshot, [.halted, .paused, .running, .suspended]),
    ])
    func operationsOfVMsNeedAPowerState(_ operation: VMOperations, _ states: [VMPowerState]) {
        for state in VMPowerState.allCases {
            let names = states.map { $0.rawValue.lowercased() }.joined(separator: ", ")
            let expected =
                states.contains(state)
                ? nil : APIError("VM_BAD_POWER_STATE", "V", names, state.rawValue.lowercased())
            #expect(VMOperationRules.refusal(of: operation, vm(state)) == expected, "\(operation) \(state)")
        }
    }

    @Test func operationsOfVMsOverlapOnlyWhereTheyMay() {
        let inTheWay = { (name: String) in APIError("OTHER_OPERATION_IN_PROGRESS", "VM", "V", name, "T0") }
        let table: [(VMOperations, VMPowerState, [CurrentOperation<VMOperations>], APIError?)] = [
            (.destroy, .halted, busy(.start), inTheWay("start")), (.start, .halted, busy(.start), inTheWay("start")),
            (.clone, .halted, busy(.copy, .export), nil), (.clone, .halted, busy(.start), inTheWay("start")),
            (.export, .halted, busy(.clone), nil), (.snapshot, .running, busy(.checkpoint), nil),
            (.checkpoint, .running, busy(.snapshot), nil),
            (.checkpoint, .running, busy(.checkpoint), inTheWay("checkpoint")),
            (.snapshot, .running, busy(.clone), inTheWay("clone")),
            (.cleanShutdown, .running, busy(.migrateSend), nil),
            (.cleanShutdown, .running, busy(.migrateSend, .snapshot), inTheWay("migrate_send")),
            (.metadataExport, .running, busy(.migrateSend), nil),
            (.pause, .running, busy(.migrateSend), inTheWay("migrate_send")),
            (.hardShutdown, .running, busy(.cleanShutdown, .migrateSend), nil),
            (.hardShutdown, .running, busy(.hardShutdown), inTheWay("hard_shutdown")),
            (.hardReboot, .running, busy(.cleanShutdown), nil),
            (.hardReboot, .running, busy(.hardShutdown), inTheWay("hard_shutdown")),
        ]
        for (operation, state, current, expected) in table {
            #expect(VMOperationRules.refusal(of: operation, vm(state, current)) == expected, "\(operation) \(current)")
        }
    }

    @Test func kindsOfVMsRefuseInTheOrderOfXenAPI() {
        let table: [(VMOperations, VMOperationFacts, APIError?)] = [
            (
                .start, vm(.running, busy(.start)) { $0.blocked = [.start: "why"] },
                APIError("OPERATION_BLOCKED", "V", "why")
            ),
            (.start, vm(.running, busy(.start)), APIError("VM_BAD_POWER_STATE", "V", "halted", "running")),
            (
                .start, vm(.halted, busy(.destroy)) { $0.isTemplate = true },
                APIError("OTHER_OPERATION_IN_PROGRESS", "VM", "V", "destroy", "T0")
            ),
            (.start, vm(.halted) { $0.isTemplate = true }, APIError("VM_IS_TEMPLATE", "V", "start")),
            (.destroy, vm(.halted) { $0.isTemplate = true }, nil),
            (
                .destroy, vm(.halted) { ($0.isTemplate, $0.isDefaultTemplate) = (true, true) },
                APIError("VM_IS_TEMPLATE", "V", "destroy")
            ),
            (.changingVCPUs, vm(.halted) { $0.isTemplate = true }, nil),
            (
                .suspend, vm(.running) { $0.writesToResetDisk = true },
                APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION")
            ),
            (
                .checkpoint, vm(.running) { $0.writesToResetDisk = true },
                APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION")
            ),
            (.cleanShutdown, vm(.running) { $0.writesToResetDisk = true }, nil),
            (.clone, vm(.suspended), APIError("VM_BAD_POWER_STATE", "V", "halted", "suspended")),
            (.clone, vm(.suspended) { $0.mayCopySuspended = true }, nil),
            (
                .copy, vm(.running) { $0.mayCopySuspended = true },
                APIError("VM_BAD_POWER_STATE", "V", "halted, suspended", "running")
            ),
            (.checkpoint, vm(.running) { $0.isImmobile = true }, APIError("VM_IS_IMMOBILE", "V")),
            (.start, vm(.halted) { $0.isSnapshot = true }, APIError("VM_IS_SNAPSHOT", "V", "start")),
            (.destroy, vm(.halted) { $0.isSnapshot = true }, nil),
            (.provision, vm(.halted), APIError("PROVISION_ONLY_ALLOWED_ON_TEMPLATE")),
            (.revert, vm(.halted), APIError("REVERT_ONLY_ALLOWED_ON_SNAPSHOT")),
            (.suspend, vm(.running) { $0.isImmobile = true }, APIError("VM_IS_IMMOBILE", "V")),
            (
                .cleanShutdown, vm(.running) { $0.isControlDomain = true },
                APIError("OPERATION_NOT_ALLOWED", "the control domain is the host itself")
            ),
            (.dataSourceOp, vm(.running) { $0.isControlDomain = true }, nil),
        ]
        for (operation, facts, expected) in table {
            #expect(VMOperationRules.refusal(of: operation, facts) == expected, "\(operation)")
        }
        #expect(
            VMOperationRules.allowed(vm(.halted)) == [
                .snapshot, .clone, .copy, .start, .startOn, .migrateSend, .changingDynamicRange, .changingStaticRange,
                .changingMemoryLimits, .changingVCPUs, .makeIntoTemplate, .metadataExport, .destroy,
            ])
        #expect(
            VMOperationRules.allowed(vm(.running)) == [
                .snapshot, .checkpoint, .pause, .cleanShutdown, .cleanReboot, .hardShutdown, .hardReboot, .suspend,
                .migrateSend,
                .shutdown, .metadataExport,
            ])
        #expect(
            VMOperationRules.allowed(vm(.paused)) == [
                .snapshot, .checkpoint, .unpause, .hardShutdown, .hardReboot, .metadataExport,
            ])
        #expect(
            VMOperationRules.allowed(vm(.suspended)) == [
                .snapshot, .checkpoint, .hardShutdown, .resume, .resumeOn, .migrateSend, .metadataExport, .destroy,
            ])
        #expect(
            VMOperationRules.allowed(vm(.halted) { ($0.isSnapshot, $0.isTemplate) = (true, false) })
                == [.clone, .copy, .revert, .metadataExport, .destroy])
        #expect(
            VMOperationRules.allowed(vm(.suspended) { ($0.isSnapshot, $0.mayCopySuspended) = (true, true) })
                == [.clone, .copy, .revert, .hardShutdown, .metadataExport, .destroy])
        #expect(VMOperationRules.allowed(vm(.running, busy(.cleanShutdown))) == [.hardShutdown, .hardReboot])
        #expect(VMOperationRules.allowed(vm(.running) { $0.isControlDomain = true }) == [.metadataExport])
    }

    // MARK: VDI

    private static let all: Set<String> = [
        "VDI_SNAPSHOT", "VDI_DELETE", "VDI_RESIZE", "VDI_RESIZE_ONLINE", "VDI_UPDATE", "VDI_GENERATE_CONFIG",
        "VDI_CLONE",
        "VDI_MIRROR", "VDI_CONFIG_CBT", "VDI_RESET_ON_BOOT",
    ]

    private func vdi(_ edit: (inout VDIOperationFacts) -> Void = { _ in }) -> VDIOperationFacts {
        var facts = VDIOperationFacts(
            ref: "D", repository: VDIRepositoryFacts(ref: "S", type: "file", isPlugged: true, features: Self.all))
        edit(&facts)
        return facts
    }

    @Test func operationsOfVDIsRefuseInTheOrderOfXenAPI() {
        let other = { (name: String) in APIError("OTHER_OPERATION_IN_PROGRESS", "VDI", "D", name, "T0") }
        let lacking = APIError("SR_OPERATION_NOT_SUPPORTED", "S")
        let saving = ("V", CurrentOperation(operation: VMOperations.checkpoint, task: "T9"))
        let kept = APIError("OTHER_OPERATION_IN_PROGRESS", "VM", "V", "checkpoint", "T9")
        #expect(VDIOperationRules.refusal(ofChanging: "sharable", vdi { $0.checkpoint = saving }) == kept)
        let table: [(VDIOperations, VDIOperationFacts, APIError?)] = [
            (.destroy, vdi { ($0.current, $0.users) = (busy(.resize), [.rw]) }, other("resize")),
            (.destroy, vdi { $0.current = busy(.mirror) }, other("mirror")),
            (.destroy, vdi { $0.current = busy(.copy) }, other("copy")), (.copy, vdi { $0.current = busy(.copy) }, nil),
            (
                .copy, vdi { $0.current = busy(.copy, .resize) },
                APIError("OTHER_OPERATION_IN_PROGRESS", "VDI", "D", "resize", "T1")
            ),
            (
                .resize, vdi { ($0.repository.isPlugged, $0.users) = (false, [.rw]) },
                APIError("SR_HAS_NO_PBDS", "S")
            ),
            (.destroy, vdi { $0.repository.isPlugged = false }, nil),
            (
                .destroy, vdi { ($0.users, $0.repository.features) = ([.ro], []) },
                APIError("VDI_IN_USE", "D", "destroy")
            ),
            (.resize, vdi { $0.users = [.rw] }, APIError("VDI_IN_USE", "D", "resize")),
            (.forget, vdi { $0.users = [.rw] }, APIError("VDI_IN_USE", "D", "forget")),
            (.update, vdi { $0.users = [.rw] }, APIError("VDI_IN_USE", "D", "update")),
            (.copy, vdi { ($0.users, $0.isReadOnly) = ([.ro], true) }, nil),
            (.copy, vdi { $0.users = [.ro] }, APIError("VDI_IN_USE", "D", "copy")),
            (.snapshot, vdi { $0.users = [.rw] }, nil), (.resizeOnline, vdi { $0.users = [.rw] }, nil),
            // The memory of a guest is saved that has it, and its snapshot is made afterwards.
            (.snapshot, vdi { ($0.users, $0.checkpoint) = ([.rw], saving) }, nil),
            (.clone, vdi { ($0.users, $0.checkpoint) = ([.rw], saving) }, nil),
            (.resizeOnline, vdi { ($0.users, $0.checkpoint) = ([.rw], saving) }, kept),
            (.mirror, vdi { ($0.users, $0.checkpoint) = ([.rw], saving) }, kept),
            (.copy, vdi { $0.checkpoint = saving }, kept), (.destroy, vdi { $0.checkpoint = saving }, kept),
            (.snapshot, vdi { ($0.current, $0.checkpoint) = (busy(.snapshot), saving) }, other("snapshot")),
            (.mirror, vdi { $0.users = [.rw] }, nil),
            (
                .mirror, vdi { $0.busyVBD = ("B", CurrentOperation(operation: .unplug, task: "T9")) },
                APIError("OTHER_OPERATION_IN_PROGRESS", "VBD", "B", "unplug", "T9")
            ),
            (.destroy, vdi { $0.repository.features = [] }, lacking),
            (.forget, vdi { $0.repository.features = [] }, nil),
            (.mirror, vdi { $0.repository.features.remove("VDI_MIRROR") }, lacking),
            (
                .mirror, vdi { ($0.type, $0.hasChangeTracking) = (.cbtMetadata, true) },
                APIError("VDI_INCOMPATIBLE_TYPE", "D", "CBT metadata")
            ),
            (.destroy, vdi { $0.type = .cbtMetadata }, nil),
            (
                .setOnBoot, vdi { $0.hasChangeTracking = true },
                APIError("VDI_CBT_ENABLED", "D")
            ),
            // Its log goes with it; where that cannot be, the move itself refuses.
            (.mirror, vdi { $0.hasChangeTracking = true }, nil),
            (.mirror, vdi { ($0.isEncrypted, $0.resetsOnBoot) = (true, true) }, APIError("VDI_IS_ENCRYPTED", "D")),
            (.mirror, vdi { $0.resetsOnBoot = true }, APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION", "D")),
            (.mirror, vdi { $0.isManaged = false }, APIError("VDI_NOT_MANAGED", "D")),
            (.snapshot, vdi { $0.isManaged = false }, APIError("VDI_NOT_MANAGED", "D")),
            (.destroy, vdi { $0.isManaged = false }, APIError("VDI_NOT_MANAGED", "D")),
            (.destroy, vdi { $0.repository.type = "udev" }, APIError("VDI_IS_A_PHYSICAL_DEVICE", "D")),
            (.destroy, vdi { $0.repository.isTools = true }, lacking),
            (.destroy, vdi { $0.type = .rrd }, APIError("VDI_HAS_RRDS", "D")),
            (.snapshot, vdi { $0.isSharable = true }, APIError("VDI_IS_SHARABLE", "D")),
            (.dataDestroy, vdi { $0.isSnapshot = true }, APIError("VDI_NO_CBT_METADATA", "D")),
            (.enableCBT, vdi { $0.type = .suspend }, APIError("VDI_INCOMPATIBLE_TYPE", "D", "suspend")),
            (.revertTo, vdi(), APIError("REVERT_ONLY_ALLOWED_ON_SNAPSHOT")),
            (.resizeOnline, vdi { $0.repository.isPlugged = false }, APIError("SR_HAS_NO_PBDS", "S")),
            (.resizeOnline, vdi { $0.resetsOnBoot = true }, APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION")),
            (.clone, vdi { $0.resetsOnBoot = true }, nil),
            (
                .clone, vdi { ($0.resetsOnBoot, $0.users) = (true, [.rw]) },
                APIError("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION")
            ),
        ]
        for (operation, facts, expected) in table {
            #expect(VDIOperationRules.refusal(of: operation, facts) == expected, "\(operation) \(facts)")
        }
        #expect(
            VDIOperationRules.allowed(vdi())
                == [.clone, .copy, .resize, .resizeOnline, .snapshot, .destroy, .forget, .update])
        #expect(VDIOperationRules.allowed(vdi { $0.users = [.rw] }) == [.clone, .resizeOnline, .snapshot])
        #expect(VDIOperationRules.allowed(vdi { $0.isManaged = false }) == [.forget, .update])
        #expect(
            VDIOperationRules.allowed(vdi { $0.repository.features.remove("VDI_RESIZE") }).contains(.resize) == false)
    }

    // MARK: VBD

    private func vbd(
        _ state: VMPowerState = .running, attached: Bool = false, disk: VBDDiskFacts? = VBDDiskFacts(ref: "D"),
        _ edit: (inout VBDOperationFacts) -> Void = { _ in }
    ) -> VBDOperationFacts {
        var facts = VBDOperationFacts(
            ref: "B", isAttached: attached, machine: VBDMachineFacts(ref: "V", powerState: state),
            disk: disk)
        edit(&facts)
        return facts
    }

    @Test func operationsOfVBDsRefuseInTheOrderOfXenAPI() {
        let badState = { (state: String) in APIError("VM_BAD_POWER_STATE", "V", "running", state) }
        let saving = { (name: String) in APIError("OTHER_OPERATION_IN_PROGRESS", "VM", "V", name, "T0") }
        let shared = VBDDiskFacts(ref: "D", otherUsers: [.ro])
        let sharable = VBDDiskFacts(ref: "D", isSharable: true, otherUsers: [.rw])
        let table: [(VBDOperations, VBDOperationFacts, APIError?)] = [
            (.plug, vbd(), nil), (.plug, vbd(.halted), badState("halted")),
            (.unplug, vbd(.halted, attached: true), badState("halted")),
            (.plug, vbd(attached: true), APIError("DEVICE_ALREADY_ATTACHED", "B")),
            (.unplug, vbd(attached: true), nil), (.unplug, vbd(), APIError("DEVICE_ALREADY_DETACHED", "B")),
            (
                .plug, vbd(.halted) { $0.current = busy(.unplug) },
                APIError("OTHER_OPERATION_IN_PROGRESS", "VBD", "B", "unplug", "T0")
            ),
            (.pause, vbd { $0.current = busy(.unplug) }, nil), (.pause, vbd(.halted), badState("halted")),
            (.unpause, vbd(.paused), nil),
            (.unplug, vbd(attached: true) { $0.isUnpluggable = false }, APIError("VBD_NOT_UNPLUGGABLE", "B")),
            (.eject, vbd(), APIError("VBD_NOT_REMOVABLE_MEDIA", "B")),
            (.insert, vbd(), APIError("VBD_NOT_REMOVABLE_MEDIA", "B")),
            (.eject, vbd { ($0.type, $0.isEmpty, $0.disk) = (.cd, true, nil) }, APIError("VBD_IS_EMPTY", "B")),
            (.insert, vbd { $0.type = .cd }, APIError("VBD_NOT_EMPTY", "B")),
            (.eject, vbd(.halted) { $0.type = .cd }, nil),
            (.eject, vbd(.suspended) { $0.type = .cd }, badState("suspended")),
            // The guest's memory, which is being saved, knows what is in the drive.
            (.eject, vbd { ($0.type, $0.machine.current) = (.cd, busy(.checkpoint)) }, saving("checkpoint")),
            (
                .insert, vbd { ($0.type, $0.isEmpty, $0.machine.current) = (.cd, true, busy(.suspend)) },
                saving("suspend")
            ),
            (
                .plug, vbd { $0.machine.current = busy(.cleanShutdown) },
                APIError("OPERATION_NOT_ALLOWED", "the VM is in the operation clean_shutdown")
            ),
            (.plug, vbd { $0.type = .cd }, APIError("OPERATION_NOT_ALLOWED", "a CD drive stays while its VM runs")),
            (.plug, vbd { ($0.type, $0.machine.isControlDomain) = (.cd, true) }, nil),
            (.attach, vbd(.halted) { $0.disk?.isManaged = false }, APIError("VDI_NOT_MANAGED", "D")),
            (
                .attach, vbd(.halted) { $0.disk?.current = busy(.resize) },
                APIError("OTHER_OPERATION_IN_PROGRESS", "VDI", "D", "resize", "T0")
            ),
            (.attach, vbd(.halted) { $0.disk?.current = busy(.mirror, .copy) }, nil),
            (.attach, vbd(.halted) { $0.disk?.otherUsers = [.rw] }, APIError("VDI_IN_USE", "D")),
            (.attach, vbd(.halted) { $0.disk?.otherUsers = [.ro] }, APIError("VDI_IN_USE", "D")),
            (.attach, vbd(.halted, disk: shared) { $0.mode = .ro }, nil),
            (.attach, vbd(.halted, disk: sharable), nil),
            (.attach, vbd(.halted) { $0.disk?.isReadOnly = true }, APIError("VDI_READONLY", "D")),
            (.plug, vbd { ($0.isEmpty, $0.disk) = (true, nil) }, APIError("VBD_IS_EMPTY", "B")),
            // What is forced helps where another operation hangs, but takes nothing from a guest whose memory is being written.
            (.unplugForce, vbd(attached: true) { $0.machine.current = busy(.cleanShutdown) }, nil),
            (
                .unplugForce, vbd(attached: true) { $0.machine.current = busy(.suspend) },
                APIError("OPERATION_NOT_ALLOWED", "the VM is in the operation suspend")
            ),
            // The data path of a snapshot does not move along.
            (
                .plug, vbd(disk: VBDDiskFacts(ref: "D", isSnapshot: true, current: busy(.mirror))),
                APIError("OTHER_OPERATION_IN_PROGRESS", "VDI", "D", "mirror", "T0")
            ),
            (.plug, vbd(disk: VBDDiskFacts(ref: "D", isSnapshot: true, current: busy(.copy))), nil),
        ]
        for (operation, facts, expected) in table {
            #expect(
                VBDOperationRules.refusal(of: operation, facts, isCall: true) == expected, "\(operation) \(facts)")
        }
        // Who shares the disk counts at a call only.
        #expect(VBDOperationRules.allowed(vbd { $0.disk?.otherUsers = [.rw] }) == [.attach, .plug])
        #expect(VBDOperationRules.allowed(vbd(attached: true)) == [.attach, .unplug, .unplugForce])
        #expect(VBDOperationRules.allowed(vbd(.halted)) == [.attach])
        #expect(VBDOperationRules.allowed(vbd { $0.current = busy(.plug) }) == [])
    }

    // MARK: SR, PBD, host, pool, task

    private func sr(
        plugged: Bool = true, _ current: [CurrentOperation<StorageOperations>] = [],
        _ edit: (inout SROperationFacts) -> Void = { _ in }
    ) -> SROperationFacts {
        var facts = SROperationFacts(
            ref: "S", features: ["VDI_CREATE", "VDI_DELETE", "VDI_RESIZE", "VDI_MIRROR"], hasPBD: true,
            isPlugged: plugged, current: current)
        edit(&facts)
        return facts
    }

    @Test func operationsOfSRsRefuseInTheOrderOfXenAPI() {
        let other = { (name: String) in APIError("OTHER_OPERATION_IN_PROGRESS", "SR", "S", name, "T0") }
        let table: [(StorageOperations, SROperationFacts, APIError?)] = [
            (.vdiSnapshot, sr(busy(.destroy)), APIError("SR_OPERATION_NOT_SUPPORTED", "S")),
            (.vdiCreate, sr { $0.isTools = true }, APIError("SR_OPERATION_NOT_SUPPORTED", "S")),
            (.destroy, sr(busy(.scan)), APIError("SR_HAS_PBD", "S")), (.forget, sr(), APIError("SR_HAS_PBD", "S")),
            (.destroy, sr(plugged: false) { $0.hasPBD = false }, APIError("SR_HAS_NO_PBDS", "S")),
            (.forget, sr(plugged: false) { $0.hasPBD = false }, nil),
            (.destroy, sr(plugged: false, busy(.scan)) { $0.holdsDisks = true }, APIError("SR_NOT_EMPTY")),
            (.forget, sr(plugged: false) { $0.holdsDisks = true }, nil), (.destroy, sr(plugged: false), nil),
            (.destroy, sr(plugged: false, busy(.plug)), other("plug")), (.plug, sr(busy(.plug)), nil),
            (.plug, sr(busy(.scan)), other("scan")), (.unplug, sr(busy(.vdiCreate)), other("vdi_create")),
            (.scan, sr(busy(.vdiCreate, .vdiMirror, .scan)), nil), (.vdiCreate, sr(busy(.vdiCreate)), nil),
            (.vdiCreate, sr(busy(.unplug)), other("unplug")), (.scan, sr(busy(.plug)), other("plug")),
            (.pbdCreate, sr(busy(.scan)), other("scan")),
        ]
        for (operation, facts, expected) in table {
            #expect(SROperationRules.refusal(of: operation, facts) == expected, "\(operation) \(facts)")
        }
        #expect(
            SROperationRules.allowed(sr()) == [
                .scan, .plug, .unplug, .vdiCreate, .vdiDestroy, .vdiResize, .vdiClone, .vdiMirror, .pbdCreate,
                .pbdDestroy,
            ])
        #expect(SROperationRules.allowed(sr(plugged: false)).starts(with: [.scan, .destroy, .forget]))
        #expect(SROperationRules.allowed(sr(busy(.destroy))) == [])
    }

    @Test func operationsOfPBDsHostsPoolsAndTasksHaveTheirErrors() {
        let used = PBDOperationFacts(repository: "S", isAttached: true, usedDisk: "D")
        #expect(PBDOperationRules.refusal(of: .unplug, used) == APIError("VDI_IN_USE", "D", "PBD.unplug"))
        #expect(PBDOperationRules.refusal(of: .destroy, used) == APIError("SR_HAS_PBD", "S"))
        #expect(PBDOperationRules.refusal(of: .plug, used) == nil)
        let idle = PBDOperationFacts(repository: "S", isAttached: false)
        #expect(PBDOperation.allCases.allSatisfy { PBDOperationRules.refusal(of: $0, idle) == nil })

        let on = HostOperationFacts(ref: "H", isEnabled: true)
        #expect(HostOperationRules.allowed(on) == [.vmStart, .vmResume, .enable])
        let off = HostOperationFacts(ref: "H", isEnabled: false, current: busy(.vmStart))
        #expect(HostOperationRules.refusal(of: .vmStart, off) == APIError("HOST_DISABLED", "H"))
        #expect(HostOperationRules.allowed(off) == [.enable])
        let starting = HostOperationFacts(ref: "H", isEnabled: true, current: busy(.vmStart))
        #expect(HostOperationRules.refusal(of: .vmStart, starting) == nil)
        #expect(
            HostOperationRules.refusal(of: .shutdown, starting)
                == APIError("OTHER_OPERATION_IN_PROGRESS", "host", "H", "vm_start", "T0"))
        #expect(PoolOperationRules.allowed() == [])

        for status in TaskStatusType.allCases {
            for isCancellable in [false, true] {
                let facts = TaskOperationFacts(ref: "T", status: status, isCancellable: isCancellable)
                let isAllowed = status == .pending && isCancellable
                #expect(TaskOperationRules.allowed(facts) == (isAllowed ? [.cancel] : []))
                #expect(
                    TaskOperationRules.refusal(of: .cancel, facts)?.code == (isAllowed ? nil : "OPERATION_NOT_ALLOWED"))
            }
        }
    }
}
