// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VM`. A virtual machine, a snapshot of one, or a template to make one from.
public struct VMRecord: XenRecord {
    /// Identifies the VM.
    public var uuid: String
    /// What may be asked of the VM in its state.
    public var allowedOperations: [Open<VMOperations>]
    /// What is being done with it, by task.
    public var currentOperations: [String: Open<VMOperations>]
    /// The VM's name.
    public var nameLabel: String
    /// What its owner wrote about it.
    public var nameDescription: String
    /// Halted, running, paused or suspended.
    public var powerState: Open<VMPowerState>
    /// A number for the owner's use.
    public var userVersion: Int64
    /// Whether it is a template.
    public var isATemplate: Bool
    /// Whether the toolstack brought the template.
    public var isDefaultTemplate: Bool?
    /// The disk that holds its memory while it is suspended.
    public var suspendVDI: Ref<VDI>
    /// The host that it runs on; null when it does not run.
    public var residentOn: Ref<Host>
    public var scheduledToBeResidentOn: Ref<Host>
    /// The host that it should run on.
    public var affinity: Ref<Host>
    /// What the host needs for the VM besides its memory, bytes.
    public var memoryOverhead: Int64
    /// The memory that it should have, bytes.
    public var memoryTarget: Int64
    /// The most memory that it can ever have while it runs, bytes.
    public var memoryStaticMax: Int64
    /// The most memory that it is given, bytes.
    public var memoryDynamicMax: Int64
    /// The least memory that it is left with, bytes.
    public var memoryDynamicMin: Int64
    /// The least memory that it can run with, bytes.
    public var memoryStaticMin: Int64
    /// How its virtual processors are run.
    public var vcpusParams: [String: String]
    /// The most virtual processors that it can have.
    public var vcpusMax: Int64
    /// The virtual processors that it starts with.
    public var vcpusAtStartup: Int64
    public var actionsAfterSoftreboot: Open<OnSoftrebootBehavior>?
    /// What follows when the guest shuts down.
    public var actionsAfterShutdown: Open<OnNormalExit>
    /// What follows when the guest reboots.
    public var actionsAfterReboot: Open<OnNormalExit>
    /// What follows when the guest crashes.
    public var actionsAfterCrash: Open<OnCrashBehaviour>
    /// Its consoles.
    public var consoles: [Ref<XenConsole>]
    /// Its network interfaces.
    public var vifs: [Ref<VIF>]
    /// Its disks, as they are attached.
    public var vbds: [Ref<VBD>]
    public var vusbs: [Ref<VUSB>]
    public var crashDumps: [Ref<Crashdump>]
    /// Its trusted platform modules.
    public var vtpms: [Ref<VTPM>]
    /// What finds the kernel, for VMs that boot without firmware.
    public var pvBootloader: String
    /// The kernel to boot, a file on the host.
    public var pvKernel: String
    /// The initial file system to boot with, a file on the host.
    public var pvRamdisk: String
    /// The kernel's command line.
    public var pvArgs: String
    /// Arguments of the bootloader.
    public var pvBootloaderArgs: String
    public var pvLegacyArgs: String
    /// Not empty: the VM boots through firmware.
    public var hvmBootPolicy: String
    /// How the firmware boots; `order` has letters for devices.
    public var hvmBootParams: [String: String]
    /// Room for shadow page tables; not used.
    public var hvmShadowMultiplier: Double
    /// Properties of the virtual hardware.
    public var platform: [String: String]
    public var pciBus: String
    /// For notes.
    public var otherConfig: [String: String]
    /// The number of the running instance; -1 when it does not run.
    public var domid: Int64
    /// The architecture of the running instance.
    public var domarch: String
    public var lastBootCPUFlags: [String: String]
    /// Whether it stands for a host's own system.
    public var isControlDomain: Bool
    /// What is measured of the VM.
    public var metrics: Ref<VMMetrics>
    /// What the guest says of itself.
    public var guestMetrics: Ref<VMGuestMetrics>
    public var lastBootedRecord: String
    /// What clients should keep to when they change it.
    public var recommendations: String
    /// Entries for the guest.
    public var xenstoreData: [String: String]
    public var haAlwaysRun: Bool
    /// Whether it is restarted when its host is lost.
    public var haRestartPriority: String
    /// Whether it is a snapshot.
    public var isASnapshot: Bool
    /// The VM that it is a snapshot of.
    public var snapshotOf: Ref<VM>
    /// Its snapshots.
    public var snapshots: [Ref<VM>]
    /// When the snapshot was made.
    public var snapshotTime: APIDate
    public var transportableSnapshotID: String
    /// Binary data kept with it.
    public var blobs: [String: Ref<Blob>]
    /// Words to find the VM by.
    public var tags: [String]
    /// Operations that are refused, with the code of the error.
    public var blockedOperations: [Open<VMOperations>: String]
    public var snapshotInfo: [String: String]
    public var snapshotMetadata: String
    /// The snapshot that it goes back to.
    public var parent: Ref<VM>
    /// The VMs and snapshots that go back to this one.
    public var children: [Ref<VM>]
    /// Names that the firmware shows.
    public var biosStrings: [String: String]
    public var protectionPolicy: Ref<VMPP>
    public var isSnapshotFromVMPP: Bool?
    public var snapshotSchedule: Ref<VMSS>?
    public var isVMSSSnapshot: Bool?
    public var appliance: Ref<VMAppliance>
    /// Seconds to wait after it was started, in an appliance.
    public var startDelay: Int64
    /// Seconds to wait before it is shut down, in an appliance.
    public var shutdownDelay: Int64
    /// Its place in the order of an appliance.
    public var order: Int64
    public var vgpus: [Ref<VGPU>]
    public var attachedPCIs: [Ref<PCI>]
    public var suspendSR: Ref<SR>
    public var version: Int64
    public var generationID: String
    /// The version of the virtual hardware that it needs.
    public var hardwarePlatformVersion: Int64
    public var hasVendorDevice: Bool
    public var requiresReboot: Bool
    public var referenceLabel: String
    /// Which kind of virtualization it uses.
    public var domainType: Open<DomainType>?
    public var nvram: [String: String]?
    public var pendingGuidances: [Open<UpdateGuidances>]?
    public var pendingGuidancesRecommended: [Open<UpdateGuidances>]?
    public var pendingGuidancesFull: [Open<UpdateGuidances>]?
    public var groups: [Ref<VMGroup>]?
    public var securebootCertificatesState: Open<VMSecurebootCertificatesState>?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VM")
        uuid = try record.field("uuid")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        powerState = try record.field("power_state")
        userVersion = try record.field("user_version")
        isATemplate = try record.field("is_a_template")
        isDefaultTemplate = try record.optional("is_default_template")
        suspendVDI = try record.field("suspend_VDI")
        residentOn = try record.field("resident_on")
        scheduledToBeResidentOn = try record.field("scheduled_to_be_resident_on")
        affinity = try record.field("affinity")
        memoryOverhead = try record.field("memory_overhead")
        memoryTarget = try record.field("memory_target")
        memoryStaticMax = try record.field("memory_static_max")
        memoryDynamicMax = try record.field("memory_dynamic_max")
        memoryDynamicMin = try record.field("memory_dynamic_min")
        memoryStaticMin = try record.field("memory_static_min")
        vcpusParams = try record.field("VCPUs_params")
        vcpusMax = try record.field("VCPUs_max")
        vcpusAtStartup = try record.field("VCPUs_at_startup")
        actionsAfterSoftreboot = try record.optional("actions_after_softreboot")
        actionsAfterShutdown = try record.field("actions_after_shutdown")
        actionsAfterReboot = try record.field("actions_after_reboot")
        actionsAfterCrash = try record.field("actions_after_crash")
        consoles = try record.field("consoles")
        vifs = try record.field("VIFs")
        vbds = try record.field("VBDs")
        vusbs = try record.field("VUSBs")
        crashDumps = try record.field("crash_dumps")
        vtpms = try record.field("VTPMs")
        pvBootloader = try record.field("PV_bootloader")
        pvKernel = try record.field("PV_kernel")
        pvRamdisk = try record.field("PV_ramdisk")
        pvArgs = try record.field("PV_args")
        pvBootloaderArgs = try record.field("PV_bootloader_args")
        pvLegacyArgs = try record.field("PV_legacy_args")
        hvmBootPolicy = try record.field("HVM_boot_policy")
        hvmBootParams = try record.field("HVM_boot_params")
        hvmShadowMultiplier = try record.field("HVM_shadow_multiplier")
        platform = try record.field("platform")
        pciBus = try record.field("PCI_bus")
        otherConfig = try record.field("other_config")
        domid = try record.field("domid")
        domarch = try record.field("domarch")
        lastBootCPUFlags = try record.field("last_boot_CPU_flags")
        isControlDomain = try record.field("is_control_domain")
        metrics = try record.field("metrics")
        guestMetrics = try record.field("guest_metrics")
        lastBootedRecord = try record.field("last_booted_record")
        recommendations = try record.field("recommendations")
        xenstoreData = try record.field("xenstore_data")
        haAlwaysRun = try record.field("ha_always_run")
        haRestartPriority = try record.field("ha_restart_priority")
        isASnapshot = try record.field("is_a_snapshot")
        snapshotOf = try record.field("snapshot_of")
        snapshots = try record.field("snapshots")
        snapshotTime = try record.field("snapshot_time")
        transportableSnapshotID = try record.field("transportable_snapshot_id")
        blobs = try record.field("blobs")
        tags = try record.field("tags")
        blockedOperations = try record.field("blocked_operations")
        snapshotInfo = try record.field("snapshot_info")
        snapshotMetadata = try record.field("snapshot_metadata")
        parent = try record.field("parent")
        children = try record.field("children")
        biosStrings = try record.field("bios_strings")
        protectionPolicy = try record.field("protection_policy")
        isSnapshotFromVMPP = try record.optional("is_snapshot_from_vmpp")
        snapshotSchedule = try record.optional("snapshot_schedule")
        isVMSSSnapshot = try record.optional("is_vmss_snapshot")
        appliance = try record.field("appliance")
        startDelay = try record.field("start_delay")
        shutdownDelay = try record.field("shutdown_delay")
        order = try record.field("order")
        vgpus = try record.field("VGPUs")
        attachedPCIs = try record.field("attached_PCIs")
        suspendSR = try record.field("suspend_SR")
        version = try record.field("version")
        generationID = try record.field("generation_id")
        hardwarePlatformVersion = try record.field("hardware_platform_version")
        hasVendorDevice = try record.field("has_vendor_device")
        requiresReboot = try record.field("requires_reboot")
        referenceLabel = try record.field("reference_label")
        domainType = try record.optional("domain_type")
        nvram = try record.optional("NVRAM")
        pendingGuidances = try record.optional("pending_guidances")
        pendingGuidancesRecommended = try record.optional("pending_guidances_recommended")
        pendingGuidancesFull = try record.optional("pending_guidances_full")
        groups = try record.optional("groups")
        securebootCertificatesState = try record.optional("secureboot_certificates_state")
    }
}

extension VM: RecordClass { public typealias Record = VMRecord }

/// What `VM.create` takes. The server has its own value for a member that is nil.
public struct VMCreation: WireWritable {
    /// The VM's name.
    public var nameLabel: String?
    /// What its owner wrote about it.
    public var nameDescription: String?
    /// Halted, running, paused or suspended.
    public var powerState: VMPowerState?
    /// A number for the owner's use.
    public var userVersion: Int64
    /// Whether it is a template.
    public var isATemplate: Bool
    /// The disk that holds its memory while it is suspended.
    public var suspendVDI: Ref<VDI>?
    /// The host that it should run on.
    public var affinity: Ref<Host>
    /// The memory that it should have, bytes.
    public var memoryTarget: Int64?
    /// The most memory that it can ever have while it runs, bytes.
    public var memoryStaticMax: Int64
    /// The most memory that it is given, bytes.
    public var memoryDynamicMax: Int64
    /// The least memory that it is left with, bytes.
    public var memoryDynamicMin: Int64
    /// The least memory that it can run with, bytes.
    public var memoryStaticMin: Int64
    /// How its virtual processors are run.
    public var vcpusParams: [String: String]
    /// The most virtual processors that it can have.
    public var vcpusMax: Int64
    /// The virtual processors that it starts with.
    public var vcpusAtStartup: Int64
    public var actionsAfterSoftreboot: OnSoftrebootBehavior?
    /// What follows when the guest shuts down.
    public var actionsAfterShutdown: OnNormalExit
    /// What follows when the guest reboots.
    public var actionsAfterReboot: OnNormalExit
    /// What follows when the guest crashes.
    public var actionsAfterCrash: OnCrashBehaviour
    /// What finds the kernel, for VMs that boot without firmware.
    public var pvBootloader: String
    /// The kernel to boot, a file on the host.
    public var pvKernel: String
    /// The initial file system to boot with, a file on the host.
    public var pvRamdisk: String
    /// The kernel's command line.
    public var pvArgs: String
    /// Arguments of the bootloader.
    public var pvBootloaderArgs: String
    public var pvLegacyArgs: String
    /// Not empty: the VM boots through firmware.
    public var hvmBootPolicy: String
    /// How the firmware boots; `order` has letters for devices.
    public var hvmBootParams: [String: String]
    /// Room for shadow page tables; not used.
    public var hvmShadowMultiplier: Double?
    /// Properties of the virtual hardware.
    public var platform: [String: String]
    public var pciBus: String
    /// For notes.
    public var otherConfig: [String: String]
    public var lastBootCPUFlags: [String: String]?
    public var lastBootedRecord: String?
    /// What clients should keep to when they change it.
    public var recommendations: String
    /// Entries for the guest.
    public var xenstoreData: [String: String]?
    public var haAlwaysRun: Bool?
    /// Whether it is restarted when its host is lost.
    public var haRestartPriority: String?
    /// Words to find the VM by.
    public var tags: [String]?
    /// Operations that are refused, with the code of the error.
    public var blockedOperations: [VMOperations: String]?
    public var protectionPolicy: Ref<VMPP>?
    public var isSnapshotFromVMPP: Bool?
    public var snapshotSchedule: Ref<VMSS>?
    public var isVMSSSnapshot: Bool?
    public var appliance: Ref<VMAppliance>?
    /// Seconds to wait after it was started, in an appliance.
    public var startDelay: Int64?
    /// Seconds to wait before it is shut down, in an appliance.
    public var shutdownDelay: Int64?
    /// Its place in the order of an appliance.
    public var order: Int64?
    public var suspendSR: Ref<SR>?
    public var version: Int64?
    public var generationID: String?
    /// The version of the virtual hardware that it needs.
    public var hardwarePlatformVersion: Int64?
    public var hasVendorDevice: Bool?
    public var referenceLabel: String?
    /// Which kind of virtualization it uses.
    public var domainType: DomainType?
    public var nvram: [String: String]?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        powerState: VMPowerState? = nil,
        userVersion: Int64,
        isATemplate: Bool = false,
        suspendVDI: Ref<VDI>? = nil,
        affinity: Ref<Host>,
        memoryTarget: Int64? = nil,
        memoryStaticMax: Int64,
        memoryDynamicMax: Int64,
        memoryDynamicMin: Int64,
        memoryStaticMin: Int64,
        vcpusParams: [String: String] = [:],
        vcpusMax: Int64,
        vcpusAtStartup: Int64,
        actionsAfterSoftreboot: OnSoftrebootBehavior? = nil,
        actionsAfterShutdown: OnNormalExit,
        actionsAfterReboot: OnNormalExit,
        actionsAfterCrash: OnCrashBehaviour,
        pvBootloader: String,
        pvKernel: String,
        pvRamdisk: String,
        pvArgs: String,
        pvBootloaderArgs: String,
        pvLegacyArgs: String,
        hvmBootPolicy: String,
        hvmBootParams: [String: String] = [:],
        hvmShadowMultiplier: Double? = nil,
        platform: [String: String] = [:],
        pciBus: String,
        otherConfig: [String: String] = [:],
        lastBootCPUFlags: [String: String]? = nil,
        lastBootedRecord: String? = nil,
        recommendations: String,
        xenstoreData: [String: String]? = nil,
        haAlwaysRun: Bool? = nil,
        haRestartPriority: String? = nil,
        tags: [String]? = nil,
        blockedOperations: [VMOperations: String]? = nil,
        protectionPolicy: Ref<VMPP>? = nil,
        isSnapshotFromVMPP: Bool? = nil,
        snapshotSchedule: Ref<VMSS>? = nil,
        isVMSSSnapshot: Bool? = nil,
        appliance: Ref<VMAppliance>? = nil,
        startDelay: Int64? = nil,
        shutdownDelay: Int64? = nil,
        order: Int64? = nil,
        suspendSR: Ref<SR>? = nil,
        version: Int64? = nil,
        generationID: String? = nil,
        hardwarePlatformVersion: Int64? = nil,
        hasVendorDevice: Bool? = nil,
        referenceLabel: String? = nil,
        domainType: DomainType? = nil,
        nvram: [String: String]? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.powerState = powerState
        self.userVersion = userVersion
        self.isATemplate = isATemplate
        self.suspendVDI = suspendVDI
        self.affinity = affinity
        self.memoryTarget = memoryTarget
        self.memoryStaticMax = memoryStaticMax
        self.memoryDynamicMax = memoryDynamicMax
        self.memoryDynamicMin = memoryDynamicMin
        self.memoryStaticMin = memoryStaticMin
        self.vcpusParams = vcpusParams
        self.vcpusMax = vcpusMax
        self.vcpusAtStartup = vcpusAtStartup
        self.actionsAfterSoftreboot = actionsAfterSoftreboot
        self.actionsAfterShutdown = actionsAfterShutdown
        self.actionsAfterReboot = actionsAfterReboot
        self.actionsAfterCrash = actionsAfterCrash
        self.pvBootloader = pvBootloader
        self.pvKernel = pvKernel
        self.pvRamdisk = pvRamdisk
        self.pvArgs = pvArgs
        self.pvBootloaderArgs = pvBootloaderArgs
        self.pvLegacyArgs = pvLegacyArgs
        self.hvmBootPolicy = hvmBootPolicy
        self.hvmBootParams = hvmBootParams
        self.hvmShadowMultiplier = hvmShadowMultiplier
        self.platform = platform
        self.pciBus = pciBus
        self.otherConfig = otherConfig
        self.lastBootCPUFlags = lastBootCPUFlags
        self.lastBootedRecord = lastBootedRecord
        self.recommendations = recommendations
        self.xenstoreData = xenstoreData
        self.haAlwaysRun = haAlwaysRun
        self.haRestartPriority = haRestartPriority
        self.tags = tags
        self.blockedOperations = blockedOperations
        self.protectionPolicy = protectionPolicy
        self.isSnapshotFromVMPP = isSnapshotFromVMPP
        self.snapshotSchedule = snapshotSchedule
        self.isVMSSSnapshot = isVMSSSnapshot
        self.appliance = appliance
        self.startDelay = startDelay
        self.shutdownDelay = shutdownDelay
        self.order = order
        self.suspendSR = suspendSR
        self.version = version
        self.generationID = generationID
        self.hardwarePlatformVersion = hardwarePlatformVersion
        self.hasVendorDevice = hasVendorDevice
        self.referenceLabel = referenceLabel
        self.domainType = domainType
        self.nvram = nvram
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("power_state", powerState)
        record.put("user_version", userVersion)
        record.put("is_a_template", isATemplate)
        record.putIfGiven("suspend_VDI", suspendVDI)
        record.put("affinity", affinity)
        record.putIfGiven("memory_target", memoryTarget)
        record.put("memory_static_max", memoryStaticMax)
        record.put("memory_dynamic_max", memoryDynamicMax)
        record.put("memory_dynamic_min", memoryDynamicMin)
        record.put("memory_static_min", memoryStaticMin)
        record.put("VCPUs_params", vcpusParams)
        record.put("VCPUs_max", vcpusMax)
        record.put("VCPUs_at_startup", vcpusAtStartup)
        record.putIfGiven("actions_after_softreboot", actionsAfterSoftreboot)
        record.put("actions_after_shutdown", actionsAfterShutdown)
        record.put("actions_after_reboot", actionsAfterReboot)
        record.put("actions_after_crash", actionsAfterCrash)
        record.put("PV_bootloader", pvBootloader)
        record.put("PV_kernel", pvKernel)
        record.put("PV_ramdisk", pvRamdisk)
        record.put("PV_args", pvArgs)
        record.put("PV_bootloader_args", pvBootloaderArgs)
        record.put("PV_legacy_args", pvLegacyArgs)
        record.put("HVM_boot_policy", hvmBootPolicy)
        record.put("HVM_boot_params", hvmBootParams)
        record.putIfGiven("HVM_shadow_multiplier", hvmShadowMultiplier)
        record.put("platform", platform)
        record.put("PCI_bus", pciBus)
        record.put("other_config", otherConfig)
        record.putIfGiven("last_boot_CPU_flags", lastBootCPUFlags)
        record.putIfGiven("last_booted_record", lastBootedRecord)
        record.put("recommendations", recommendations)
        record.putIfGiven("xenstore_data", xenstoreData)
        record.putIfGiven("ha_always_run", haAlwaysRun)
        record.putIfGiven("ha_restart_priority", haRestartPriority)
        record.putIfGiven("tags", tags)
        record.putIfGiven("blocked_operations", blockedOperations)
        record.putIfGiven("protection_policy", protectionPolicy)
        record.putIfGiven("is_snapshot_from_vmpp", isSnapshotFromVMPP)
        record.putIfGiven("snapshot_schedule", snapshotSchedule)
        record.putIfGiven("is_vmss_snapshot", isVMSSSnapshot)
        record.putIfGiven("appliance", appliance)
        record.putIfGiven("start_delay", startDelay)
        record.putIfGiven("shutdown_delay", shutdownDelay)
        record.putIfGiven("order", order)
        record.putIfGiven("suspend_SR", suspendSR)
        record.putIfGiven("version", version)
        record.putIfGiven("generation_id", generationID)
        record.putIfGiven("hardware_platform_version", hardwarePlatformVersion)
        record.putIfGiven("has_vendor_device", hasVendorDevice)
        record.putIfGiven("reference_label", referenceLabel)
        record.putIfGiven("domain_type", domainType)
        record.putIfGiven("NVRAM", nvram)
        return record.wire
    }
}

extension VM: CreatableClass { public typealias Creation = VMCreation }

/// The messages of the class `VM`.
public struct VMCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VM
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Keeps the VM and its disks, all of one moment, as a snapshot; also while it runs.
    ///
    /// Since orlando. Role: vm-power-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`.
    public func snapshot(_ vm: Ref<VM>, newName: String, ignoreVDIs: [Ref<VDI>] = []) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.snapshot", [vm.wire, newName.wire, ignoreVDIs.wire], defaults: [.array([])])
    }

    /// Starts `VM.snapshot` and answers with its task.
    public func asyncSnapshot(_ vm: Ref<VM>, newName: String, ignoreVDIs: [Ref<VDI>] = []) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.snapshot", [vm.wire, newName.wire, ignoreVDIs.wire], defaults: [.array([])])
    }

    /// Calls `VM.snapshot_with_quiesce`.
    ///
    /// Since orlando, deprecated in quebec, removed in quebec. Role: vm-power-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `VM_SNAPSHOT_WITH_QUIESCE_FAILED`, `VM_SNAPSHOT_WITH_QUIESCE_TIMEOUT`, `VM_SNAPSHOT_WITH_QUIESCE_PLUGIN_DEOS_NOT_RESPOND`, `VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED`.
    public func snapshotWithQuiesce(_ vm: Ref<VM>, newName: String) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.snapshot_with_quiesce", [vm.wire, newName.wire])
    }

    /// Starts `VM.snapshot_with_quiesce` and answers with its task.
    public func asyncSnapshotWithQuiesce(_ vm: Ref<VM>, newName: String) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.snapshot_with_quiesce", [vm.wire, newName.wire])
    }

    /// Makes a VM whose disks share the data of this one's.
    ///
    /// Since rio. Role: vm-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `LICENCE_RESTRICTION`.
    public func clone(_ vm: Ref<VM>, newName: String) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.clone", [vm.wire, newName.wire])
    }

    /// Starts `VM.clone` and answers with its task.
    public func asyncClone(_ vm: Ref<VM>, newName: String) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.clone", [vm.wire, newName.wire])
    }

    /// Makes a VM with whole copies of the disks, in one SR or where they are.
    ///
    /// Since rio. Role: vm-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `LICENCE_RESTRICTION`.
    public func copy(_ vm: Ref<VM>, newName: String, sr: Ref<SR>) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.copy", [vm.wire, newName.wire, sr.wire])
    }

    /// Starts `VM.copy` and answers with its task.
    public func asyncCopy(_ vm: Ref<VM>, newName: String, sr: Ref<SR>) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.copy", [vm.wire, newName.wire, sr.wire])
    }

    /// Makes the VM that the snapshot is of what it was then; a running one is ended first.
    ///
    /// Since midnight-ride. Role: vm-power-admin. Errors: `VM_BAD_POWER_STATE`, `OPERATION_NOT_ALLOWED`, `SR_FULL`, `VM_REVERT_FAILED`.
    public func revert(_ snapshot: Ref<VM>) async throws {
        try await self.caller.perform("VM.revert", [snapshot.wire])
    }

    /// Starts `VM.revert` and answers with its task.
    public func asyncRevert(_ snapshot: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.revert", [snapshot.wire])
    }

    /// Keeps the VM, its disks and its memory, all of one moment, as a snapshot; it runs on.
    ///
    /// Since midnight-ride. Role: vm-power-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `VM_CHECKPOINT_SUSPEND_FAILED`, `VM_CHECKPOINT_RESUME_FAILED`.
    public func checkpoint(_ vm: Ref<VM>, newName: String) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.checkpoint", [vm.wire, newName.wire])
    }

    /// Starts `VM.checkpoint` and answers with its task.
    public func asyncCheckpoint(_ vm: Ref<VM>, newName: String) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.checkpoint", [vm.wire, newName.wire])
    }

    /// Calls `VM.provision`.
    ///
    /// Since rio. Role: vm-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `LICENCE_RESTRICTION`.
    public func provision(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.provision", [vm.wire])
    }

    /// Starts `VM.provision` and answers with its task.
    public func asyncProvision(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.provision", [vm.wire])
    }

    /// Starts the VM.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `VM_HVM_REQUIRED`, `VM_IS_TEMPLATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `BOOTLOADER_FAILED`, `UNKNOWN_BOOTLOADER`, `NO_HOSTS_AVAILABLE`, `LICENCE_RESTRICTION`.
    public func start(_ vm: Ref<VM>, startPaused: Bool, force: Bool) async throws {
        try await self.caller.perform("VM.start", [vm.wire, startPaused.wire, force.wire])
    }

    /// Starts `VM.start` and answers with its task.
    public func asyncStart(_ vm: Ref<VM>, startPaused: Bool, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.start", [vm.wire, startPaused.wire, force.wire])
    }

    /// Starts the VM on a host.
    ///
    /// Since rio. Role: vm-power-admin+client-cert. Errors: `VM_BAD_POWER_STATE`, `VM_IS_TEMPLATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `BOOTLOADER_FAILED`, `UNKNOWN_BOOTLOADER`.
    public func startOn(_ vm: Ref<VM>, host: Ref<Host>, startPaused: Bool, force: Bool) async throws {
        try await self.caller.perform("VM.start_on", [vm.wire, host.wire, startPaused.wire, force.wire])
    }

    /// Starts `VM.start_on` and answers with its task.
    public func asyncStartOn(_ vm: Ref<VM>, host: Ref<Host>, startPaused: Bool, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.start_on", [vm.wire, host.wire, startPaused.wire, force.wire])
    }

    /// Stops the virtual processors.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func pause(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.pause", [vm.wire])
    }

    /// Starts `VM.pause` and answers with its task.
    public func asyncPause(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.pause", [vm.wire])
    }

    /// Lets them go on.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func unpause(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.unpause", [vm.wire])
    }

    /// Starts `VM.unpause` and answers with its task.
    public func asyncUnpause(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.unpause", [vm.wire])
    }

    /// Asks the guest to shut down and waits until it has.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func cleanShutdown(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.clean_shutdown", [vm.wire])
    }

    /// Starts `VM.clean_shutdown` and answers with its task.
    public func asyncCleanShutdown(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.clean_shutdown", [vm.wire])
    }

    /// Asks the guest to shut down, and cuts it off when it does not.
    ///
    /// Since clearwater. Role: vm-operator+client-cert. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func shutdown(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.shutdown", [vm.wire])
    }

    /// Starts `VM.shutdown` and answers with its task.
    public func asyncShutdown(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.shutdown", [vm.wire])
    }

    /// Asks the guest to reboot.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func cleanReboot(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.clean_reboot", [vm.wire])
    }

    /// Starts `VM.clean_reboot` and answers with its task.
    public func asyncCleanReboot(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.clean_reboot", [vm.wire])
    }

    /// Cuts the VM off.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func hardShutdown(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.hard_shutdown", [vm.wire])
    }

    /// Starts `VM.hard_shutdown` and answers with its task.
    public func asyncHardShutdown(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.hard_shutdown", [vm.wire])
    }

    /// Makes the database say that the VM is halted.
    ///
    /// Since rio. Role: pool-operator.
    public func powerStateReset(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.power_state_reset", [vm.wire])
    }

    /// Starts `VM.power_state_reset` and answers with its task.
    public func asyncPowerStateReset(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.power_state_reset", [vm.wire])
    }

    /// Resets the VM.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func hardReboot(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.hard_reboot", [vm.wire])
    }

    /// Starts `VM.hard_reboot` and answers with its task.
    public func asyncHardReboot(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.hard_reboot", [vm.wire])
    }

    /// Writes the VM's memory to a disk of its suspend SR and ends the VM until it is resumed.
    ///
    /// Since rio. Role: vm-operator+client-cert. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func suspend(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.suspend", [vm.wire])
    }

    /// Starts `VM.suspend` and answers with its task.
    public func asyncSuspend(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.suspend", [vm.wire])
    }

    /// Calls `VM.csvm`.
    ///
    /// Since rio, deprecated in miami. Role: vm-admin. Errors: `VM_BAD_POWER_STATE`, `SR_FULL`, `OPERATION_NOT_ALLOWED`, `LICENCE_RESTRICTION`.
    public func csvm(_ vm: Ref<VM>) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.csvm", [vm.wire])
    }

    /// Starts `VM.csvm` and answers with its task.
    public func asyncCsvm(_ vm: Ref<VM>) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.csvm", [vm.wire])
    }

    /// Lets a suspended VM go on where it was.
    ///
    /// Since rio. Role: vm-operator. Errors: `VM_BAD_POWER_STATE`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func resume(_ vm: Ref<VM>, startPaused: Bool, force: Bool) async throws {
        try await self.caller.perform("VM.resume", [vm.wire, startPaused.wire, force.wire])
    }

    /// Starts `VM.resume` and answers with its task.
    public func asyncResume(_ vm: Ref<VM>, startPaused: Bool, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.resume", [vm.wire, startPaused.wire, force.wire])
    }

    /// Says whether the template came with the product: such a one cannot be destroyed.
    ///
    /// Since falcon. Role: pool-admin.
    public func setIsDefaultTemplate(_ vm: Ref<VM>, value: Bool) async throws {
        try await self.caller.perform("VM.set_is_default_template", [vm.wire, value.wire])
    }

    /// Starts `VM.set_is_default_template` and answers with its task.
    public func asyncSetIsDefaultTemplate(_ vm: Ref<VM>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_is_default_template", [vm.wire, value.wire])
    }

    /// Calls `VM.hard_reboot_internal`.
    ///
    /// Since orlando, deprecated in midnight-ride. Role: local-root-only. Between the hosts of a pool only.
    public func hardRebootInternal(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.hard_reboot_internal", [vm.wire])
    }

    /// Starts `VM.hard_reboot_internal` and answers with its task.
    public func asyncHardRebootInternal(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.hard_reboot_internal", [vm.wire])
    }

    /// Lets a suspended VM go on where it was, on a host.
    ///
    /// Since rio. Role: vm-power-admin+client-cert. Errors: `VM_BAD_POWER_STATE`, `OPERATION_NOT_ALLOWED`, `VM_IS_TEMPLATE`.
    public func resumeOn(_ vm: Ref<VM>, host: Ref<Host>, startPaused: Bool, force: Bool) async throws {
        try await self.caller.perform("VM.resume_on", [vm.wire, host.wire, startPaused.wire, force.wire])
    }

    /// Starts `VM.resume_on` and answers with its task.
    public func asyncResumeOn(_ vm: Ref<VM>, host: Ref<Host>, startPaused: Bool, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.resume_on", [vm.wire, host.wire, startPaused.wire, force.wire])
    }

    /// Calls `VM.pool_migrate`.
    ///
    /// Since rio. Role: vm-power-admin+client-cert. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `VM_IS_TEMPLATE`, `OPERATION_NOT_ALLOWED`, `VM_BAD_POWER_STATE`.
    public func poolMigrate(_ vm: Ref<VM>, host: Ref<Host>, options: [String: String]) async throws {
        try await self.caller.perform("VM.pool_migrate", [vm.wire, host.wire, options.wire])
    }

    /// Starts `VM.pool_migrate` and answers with its task.
    public func asyncPoolMigrate(_ vm: Ref<VM>, host: Ref<Host>, options: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.pool_migrate", [vm.wire, host.wire, options.wire])
    }

    /// Ends the move of a VM by another toolstack: refused until all its disks are here as a whole.
    ///
    /// Since tampa. Role: vm-power-admin+client-cert.
    public func poolMigrateComplete(_ vm: Ref<VM>, host: Ref<Host>) async throws {
        try await self.caller.perform("VM.pool_migrate_complete", [vm.wire, host.wire])
    }

    /// Starts `VM.pool_migrate_complete` and answers with its task.
    public func asyncPoolMigrateComplete(_ vm: Ref<VM>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.pool_migrate_complete", [vm.wire, host.wire])
    }

    /// Calls `VM.set_VCPUs_number_live`.
    ///
    /// Since rio. Role: vm-admin. Errors: `OPERATION_NOT_ALLOWED`, `LICENCE_RESTRICTION`.
    public func setVCPUsNumberLive(_ vm: Ref<VM>, nvcpu: Int64) async throws {
        try await self.caller.perform("VM.set_VCPUs_number_live", [vm.wire, nvcpu.wire])
    }

    /// Starts `VM.set_VCPUs_number_live` and answers with its task.
    public func asyncSetVCPUsNumberLive(_ vm: Ref<VM>, nvcpu: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_VCPUs_number_live", [vm.wire, nvcpu.wire])
    }

    /// Calls `VM.add_to_VCPUs_params_live`.
    ///
    /// Since rio. Role: vm-admin.
    public func addToVCPUsParamsLive(_ vm: Ref<VM>, key: String, value: String) async throws {
        try await self.caller.perform("VM.add_to_VCPUs_params_live", [vm.wire, key.wire, value.wire])
    }

    /// Starts `VM.add_to_VCPUs_params_live` and answers with its task.
    public func asyncAddToVCPUsParamsLive(_ vm: Ref<VM>, key: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.add_to_VCPUs_params_live", [vm.wire, key.wire, value.wire])
    }

    /// Calls `VM.set_NVRAM`.
    ///
    /// Since naples. Role: vm-admin.
    public func setNVRAM(_ vm: Ref<VM>, value: [String: String]) async throws {
        try await self.caller.perform("VM.set_NVRAM", [vm.wire, value.wire])
    }

    /// Calls `VM.add_to_NVRAM`.
    ///
    /// Since naples. Role: vm-admin.
    public func addToNVRAM(_ vm: Ref<VM>, key: String, value: String) async throws {
        try await self.caller.perform("VM.add_to_NVRAM", [vm.wire, key.wire, value.wire])
    }

    /// Calls `VM.remove_from_NVRAM`.
    ///
    /// Since naples. Role: vm-admin.
    public func removeFromNVRAM(_ vm: Ref<VM>, key: String) async throws {
        try await self.caller.perform("VM.remove_from_NVRAM", [vm.wire, key.wire])
    }

    /// Sets what becomes of the VM when its host is lost: restart, best-effort or nothing.
    ///
    /// Since orlando. Role: pool-operator.
    public func setHARestartPriority(_ vm: Ref<VM>, value: String) async throws {
        try await self.caller.perform("VM.set_ha_restart_priority", [vm.wire, value.wire])
    }

    /// Sets the restart priority to restart, or to none.
    ///
    /// Since orlando, deprecated in boston. Role: pool-operator.
    public func setHAAlwaysRun(_ vm: Ref<VM>, value: Bool) async throws {
        try await self.caller.perform("VM.set_ha_always_run", [vm.wire, value.wire])
    }

    /// An estimate of the memory that the VM takes beside its guest's, bytes.
    ///
    /// Since midnight-ride. Role: read-only.
    public func computeMemoryOverhead(_ vm: Ref<VM>) async throws -> Int64 {
        try await self.caller.invoke("VM.compute_memory_overhead", [vm.wire])
    }

    /// Starts `VM.compute_memory_overhead` and answers with its task.
    public func asyncComputeMemoryOverhead(_ vm: Ref<VM>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("VM.compute_memory_overhead", [vm.wire])
    }

    /// Sets the upper end of the dynamic range of the halted VM, bytes; the four limits stay in order.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryDynamicMax(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_memory_dynamic_max", [vm.wire, value.wire])
    }

    /// Sets the lower end of the dynamic range of the halted VM, bytes; the four limits stay in order.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryDynamicMin(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_memory_dynamic_min", [vm.wire, value.wire])
    }

    /// Sets the memory that it is given, from and to.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryDynamicRange(_ vm: Ref<VM>, min: Int64, max: Int64) async throws {
        try await self.caller.perform("VM.set_memory_dynamic_range", [vm.wire, min.wire, max.wire])
    }

    /// Starts `VM.set_memory_dynamic_range` and answers with its task.
    public func asyncSetMemoryDynamicRange(_ vm: Ref<VM>, min: Int64, max: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_memory_dynamic_range", [vm.wire, min.wire, max.wire])
    }

    /// Sets the upper end of the static range of the halted VM, bytes: what its guest is started with.
    ///
    /// Since orlando. Role: vm-power-admin. Errors: `HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN`.
    public func setMemoryStaticMax(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_memory_static_max", [vm.wire, value.wire])
    }

    /// Sets the lower end of the static range of the halted VM, bytes; the four limits stay in order.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryStaticMin(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_memory_static_min", [vm.wire, value.wire])
    }

    /// Sets the memory that it can have, from and to.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryStaticRange(_ vm: Ref<VM>, min: Int64, max: Int64) async throws {
        try await self.caller.perform("VM.set_memory_static_range", [vm.wire, min.wire, max.wire])
    }

    /// Starts `VM.set_memory_static_range` and answers with its task.
    public func asyncSetMemoryStaticRange(_ vm: Ref<VM>, min: Int64, max: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_memory_static_range", [vm.wire, min.wire, max.wire])
    }

    /// Sets the four limits of memory together.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setMemoryLimits(_ vm: Ref<VM>, staticMin: Int64, staticMax: Int64, dynamicMin: Int64, dynamicMax: Int64) async throws {
        try await self.caller.perform("VM.set_memory_limits", [vm.wire, staticMin.wire, staticMax.wire, dynamicMin.wire, dynamicMax.wire])
    }

    /// Starts `VM.set_memory_limits` and answers with its task.
    public func asyncSetMemoryLimits(_ vm: Ref<VM>, staticMin: Int64, staticMax: Int64, dynamicMin: Int64, dynamicMax: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_memory_limits", [vm.wire, staticMin.wire, staticMax.wire, dynamicMin.wire, dynamicMax.wire])
    }

    /// Sets all limits to the same amount.
    ///
    /// Since ely. Role: vm-power-admin.
    public func setMemory(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_memory", [vm.wire, value.wire])
    }

    /// Starts `VM.set_memory` and answers with its task.
    public func asyncSetMemory(_ vm: Ref<VM>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_memory", [vm.wire, value.wire])
    }

    /// Calls `VM.set_memory_target_live`.
    ///
    /// Since rio, deprecated in midnight-ride. Role: vm-power-admin.
    public func setMemoryTargetLive(_ vm: Ref<VM>, target: Int64) async throws {
        try await self.caller.perform("VM.set_memory_target_live", [vm.wire, target.wire])
    }

    /// Starts `VM.set_memory_target_live` and answers with its task.
    public func asyncSetMemoryTargetLive(_ vm: Ref<VM>, target: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_memory_target_live", [vm.wire, target.wire])
    }

    /// Calls `VM.wait_memory_target_live`.
    ///
    /// Since orlando, deprecated in midnight-ride. Role: read-only.
    public func waitMemoryTargetLive(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.wait_memory_target_live", [vm.wire])
    }

    /// Starts `VM.wait_memory_target_live` and answers with its task.
    public func asyncWaitMemoryTargetLive(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.wait_memory_target_live", [vm.wire])
    }

    /// Whether the guest gives memory back when it is asked to. Nobody asks any more: always true.
    ///
    /// Since midnight-ride, deprecated in tampa. Role: read-only.
    public func getCooperative(_ vm: Ref<VM>) async throws -> Bool {
        try await self.caller.invoke("VM.get_cooperative", [vm.wire])
    }

    /// Starts `VM.get_cooperative` and answers with its task.
    public func asyncGetCooperative(_ vm: Ref<VM>) async throws -> XenTaskHandle<Bool> {
        try await self.caller.launch("VM.get_cooperative", [vm.wire])
    }

    /// Calls `VM.set_HVM_shadow_multiplier`.
    ///
    /// Since midnight-ride. Role: vm-power-admin.
    public func setHVMShadowMultiplier(_ vm: Ref<VM>, value: Double) async throws {
        try await self.caller.perform("VM.set_HVM_shadow_multiplier", [vm.wire, value.wire])
    }

    /// Calls `VM.set_shadow_multiplier_live`.
    ///
    /// Since rio. Role: vm-power-admin.
    public func setShadowMultiplierLive(_ vm: Ref<VM>, multiplier: Double) async throws {
        try await self.caller.perform("VM.set_shadow_multiplier_live", [vm.wire, multiplier.wire])
    }

    /// Starts `VM.set_shadow_multiplier_live` and answers with its task.
    public func asyncSetShadowMultiplierLive(_ vm: Ref<VM>, multiplier: Double) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_shadow_multiplier_live", [vm.wire, multiplier.wire])
    }

    /// Sets the largest number of processors of the halted VM.
    ///
    /// Since midnight-ride. Role: vm-admin.
    public func setVCPUsMax(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_VCPUs_max", [vm.wire, value.wire])
    }

    /// Sets the number of processors that the halted VM will start with: at least one, at most VCPUs_max.
    ///
    /// Since midnight-ride. Role: vm-admin.
    public func setVCPUsAtStartup(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_VCPUs_at_startup", [vm.wire, value.wire])
    }

    /// Calls `VM.send_sysrq`.
    ///
    /// Since rio. Role: pool-admin. Errors: `VM_BAD_POWER_STATE`.
    public func sendSysrq(_ vm: Ref<VM>, key: String) async throws {
        try await self.caller.perform("VM.send_sysrq", [vm.wire, key.wire])
    }

    /// Starts `VM.send_sysrq` and answers with its task.
    public func asyncSendSysrq(_ vm: Ref<VM>, key: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.send_sysrq", [vm.wire, key.wire])
    }

    /// Calls `VM.send_trigger`.
    ///
    /// Since rio. Role: pool-admin. Errors: `VM_BAD_POWER_STATE`.
    public func sendTrigger(_ vm: Ref<VM>, trigger: String) async throws {
        try await self.caller.perform("VM.send_trigger", [vm.wire, trigger.wire])
    }

    /// Starts `VM.send_trigger` and answers with its task.
    public func asyncSendTrigger(_ vm: Ref<VM>, trigger: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.send_trigger", [vm.wire, trigger.wire])
    }

    /// The most memory a guest can have, bytes, so that together with its overhead it fits into the total.
    ///
    /// Since miami. Role: read-only.
    public func maximiseMemory(_ vm: Ref<VM>, total: Int64, approximate: Bool) async throws -> Int64 {
        try await self.caller.invoke("VM.maximise_memory", [vm.wire, total.wire, approximate.wire])
    }

    /// Starts `VM.maximise_memory` and answers with its task.
    public func asyncMaximiseMemory(_ vm: Ref<VM>, total: Int64, approximate: Bool) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("VM.maximise_memory", [vm.wire, total.wire, approximate.wire])
    }

    /// Moves the VM's disks to the repositories and formats of the maps, also while it runs; to another pool with its memory. Options: force, copy and compress (the memory, on its way; where it is not given as pool.migration_compression says), each true or false, and those of VDI.pool_migrate.
    ///
    /// Since tampa. Role: vm-power-admin. Errors: `VM_BAD_POWER_STATE`, `LICENCE_RESTRICTION`.
    public func migrateSend(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws -> Ref<VM> {
        try await self.caller.invoke("VM.migrate_send", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// Starts `VM.migrate_send` and answers with its task.
    public func asyncMigrateSend(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws -> XenTaskHandle<Ref<VM>> {
        try await self.caller.launch("VM.migrate_send", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// What VM.migrate_send with the same arguments would do, as a JSON object; nothing is changed.
    ///
    /// Since 26.17.0. Role: vm-power-admin.
    public func planMigrateSend(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws -> String {
        try await self.caller.invoke("VM.plan_migrate_send", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// Starts `VM.plan_migrate_send` and answers with its task.
    public func asyncPlanMigrateSend(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VM.plan_migrate_send", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// The moves of VMs to and from other pools that are not over, as a JSON array.
    ///
    /// Since 26.17.0. Role: read-only.
    public func getPeerMoves() async throws -> String {
        try await self.caller.invoke("VM.get_peer_moves", [])
    }

    /// Decides a move whose other side cannot be asked: `here` (the VM is this pool's), `there` (it is the other's) or `forget` (nothing more is told to the other side; the disks of a VM that was still coming stay as they are).
    ///
    /// Since 26.17.0. Role: pool-admin.
    public func settlePeerMove(move: String, decision: String) async throws {
        try await self.caller.perform("VM.settle_peer_move", [move.wire, decision.wire])
    }

    /// Starts `VM.settle_peer_move` and answers with its task.
    public func asyncSettlePeerMove(move: String, decision: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.settle_peer_move", [move.wire, decision.wire])
    }

    /// Checks whether VM.migrate_send with the same arguments could begin, and changes nothing.
    ///
    /// Since tampa. Role: vm-power-admin. Errors: `LICENCE_RESTRICTION`.
    public func assertCanMigrate(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws {
        try await self.caller.perform("VM.assert_can_migrate", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// Starts `VM.assert_can_migrate` and answers with its task.
    public func asyncAssertCanMigrate(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], options: [String: String], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>] = [:], vdiFormatMap: [Ref<VDI>: String] = [:]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_can_migrate", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, options.wire, vgpuMap.wire, vdiFormatMap.wire], defaults: [.structure([]), .structure([])])
    }

    /// The part of VM.assert_can_migrate that the VM's own host checks.
    ///
    /// Since inverness. Role: vm-power-admin.
    public func assertCanMigrateSender(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>], options: [String: String]) async throws {
        try await self.caller.perform("VM.assert_can_migrate_sender", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, vgpuMap.wire, options.wire])
    }

    /// Starts `VM.assert_can_migrate_sender` and answers with its task.
    public func asyncAssertCanMigrateSender(_ vm: Ref<VM>, dest: [String: String], live: Bool, vdiMap: [Ref<VDI>: Ref<SR>], vifMap: [Ref<VIF>: Ref<Network>], vgpuMap: [Ref<VGPU>: Ref<GPUGroup>], options: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_can_migrate_sender", [vm.wire, dest.wire, live.wire, vdiMap.wire, vifMap.wire, vgpuMap.wire, options.wire])
    }

    /// The record as the guest was started with it.
    ///
    /// Since rio, deprecated in inverness. Role: read-only.
    public func getBootRecord(_ vm: Ref<VM>) async throws -> VMRecord {
        try await self.caller.invoke("VM.get_boot_record", [vm.wire])
    }

    /// What is measured of the VM.
    ///
    /// Since orlando. Role: read-only.
    public func getDataSources(_ vm: Ref<VM>) async throws -> [DataSourceRecord] {
        try await self.caller.invoke("VM.get_data_sources", [vm.wire])
    }

    /// Begins to record a data source.
    ///
    /// Since orlando. Role: vm-admin.
    public func recordDataSource(_ vm: Ref<VM>, dataSource: String) async throws {
        try await self.caller.perform("VM.record_data_source", [vm.wire, dataSource.wire])
    }

    /// The latest value of a data source.
    ///
    /// Since orlando. Role: read-only.
    public func queryDataSource(_ vm: Ref<VM>, dataSource: String) async throws -> Double {
        try await self.caller.invoke("VM.query_data_source", [vm.wire, dataSource.wire])
    }

    /// Drops what was recorded of a data source.
    ///
    /// Since orlando. Role: vm-admin.
    public func forgetDataSourceArchives(_ vm: Ref<VM>, dataSource: String) async throws {
        try await self.caller.perform("VM.forget_data_source_archives", [vm.wire, dataSource.wire])
    }

    /// Throws what keeps the operation from beginning now.
    ///
    /// Since rio. Role: read-only.
    public func assertOperationValid(_ vm: Ref<VM>, op: VMOperations) async throws {
        try await self.caller.perform("VM.assert_operation_valid", [vm.wire, op.wire])
    }

    /// Starts `VM.assert_operation_valid` and answers with its task.
    public func asyncAssertOperationValid(_ vm: Ref<VM>, op: VMOperations) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_operation_valid", [vm.wire, op.wire])
    }

    /// Computes allowed_operations anew.
    ///
    /// Since rio. Role: pool-admin.
    public func updateAllowedOperations(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.update_allowed_operations", [vm.wire])
    }

    /// Starts `VM.update_allowed_operations` and answers with its task.
    public func asyncUpdateAllowedOperations(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.update_allowed_operations", [vm.wire])
    }

    /// The positions where a disk can be attached.
    ///
    /// Since rio. Role: read-only.
    public func getAllowedVBDDevices(_ vm: Ref<VM>) async throws -> [String] {
        try await self.caller.invoke("VM.get_allowed_VBD_devices", [vm.wire])
    }

    /// The device numbers that no network interface of the VM has.
    ///
    /// Since rio. Role: read-only.
    public func getAllowedVIFDevices(_ vm: Ref<VM>) async throws -> [String] {
        try await self.caller.invoke("VM.get_allowed_VIF_devices", [vm.wire])
    }

    /// The hosts on which the VM could start now.
    ///
    /// Since rio. Role: read-only.
    public func getPossibleHosts(_ vm: Ref<VM>) async throws -> [Ref<Host>] {
        try await self.caller.invoke("VM.get_possible_hosts", [vm.wire])
    }

    /// Starts `VM.get_possible_hosts` and answers with its task.
    public func asyncGetPossibleHosts(_ vm: Ref<VM>) async throws -> XenTaskHandle<[Ref<Host>]> {
        try await self.caller.launch("VM.get_possible_hosts", [vm.wire])
    }

    /// Throws what keeps the VM from starting on the host now: a disabled host, an SR that is not attached, memory, or its own configuration.
    ///
    /// Since rio. Role: read-only. Errors: `HOST_NOT_ENOUGH_FREE_MEMORY`, `HOST_NOT_ENOUGH_PCPUS`, `NETWORK_SRIOV_INSUFFICIENT_CAPACITY`, `HOST_NOT_LIVE`, `HOST_DISABLED`, `HOST_CANNOT_ATTACH_NETWORK`, `VM_HVM_REQUIRED`, `VM_REQUIRES_GPU`, `VM_REQUIRES_IOMMU`, `VM_REQUIRES_NETWORK`, `VM_REQUIRES_SR`, `VM_REQUIRES_VGPU`, `VM_HOST_INCOMPATIBLE_VERSION`, `VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION`, `INVALID_VALUE`, `MEMORY_CONSTRAINT_VIOLATION`, `OPERATION_NOT_ALLOWED`, `VALUE_NOT_SUPPORTED`, `VM_INCOMPATIBLE_WITH_THIS_HOST`.
    public func assertCanBootHere(_ vm: Ref<VM>, host: Ref<Host>) async throws {
        try await self.caller.perform("VM.assert_can_boot_here", [vm.wire, host.wire])
    }

    /// Starts `VM.assert_can_boot_here` and answers with its task.
    public func asyncAssertCanBootHere(_ vm: Ref<VM>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_can_boot_here", [vm.wire, host.wire])
    }

    /// Calls `VM.atomic_set_resident_on`.
    ///
    /// Since rio. Role: local-root-only. Between the hosts of a pool only.
    public func atomicSetResidentOn(_ vm: Ref<VM>, host: Ref<Host>) async throws {
        try await self.caller.perform("VM.atomic_set_resident_on", [vm.wire, host.wire])
    }

    /// Starts `VM.atomic_set_resident_on` and answers with its task.
    public func asyncAtomicSetResidentOn(_ vm: Ref<VM>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.atomic_set_resident_on", [vm.wire, host.wire])
    }

    /// Makes an empty blob of the VM, whose content is put and read at /blob.
    ///
    /// Since orlando. Role: vm-power-admin.
    public func createNewBlob(_ vm: Ref<VM>, name: String, mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("VM.create_new_blob", [vm.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Starts `VM.create_new_blob` and answers with its task.
    public func asyncCreateNewBlob(_ vm: Ref<VM>, name: String, mimeType: String, `public`: Bool = false) async throws -> XenTaskHandle<Ref<Blob>> {
        try await self.caller.launch("VM.create_new_blob", [vm.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Calls `VM.s3_suspend`.
    ///
    /// Since midnight-ride. Role: vm-operator.
    public func s3Suspend(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.s3_suspend", [vm.wire])
    }

    /// Starts `VM.s3_suspend` and answers with its task.
    public func asyncS3Suspend(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.s3_suspend", [vm.wire])
    }

    /// Calls `VM.s3_resume`.
    ///
    /// Since midnight-ride. Role: vm-operator.
    public func s3Resume(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.s3_resume", [vm.wire])
    }

    /// Starts `VM.s3_resume` and answers with its task.
    public func asyncS3Resume(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.s3_resume", [vm.wire])
    }

    /// Throws the SR that keeps the VM from running on every host of the pool.
    ///
    /// Since orlando. Role: read-only.
    public func assertAgile(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.assert_agile", [vm.wire])
    }

    /// Starts `VM.assert_agile` and answers with its task.
    public func asyncAssertAgile(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_agile", [vm.wire])
    }

    /// Calls `VM.update_snapshot_metadata`.
    ///
    /// Since george, deprecated in midnight-ride. Role: pool-operator.
    public func updateSnapshotMetadata(_ vm: Ref<VM>, snapshotOf: Ref<VM>, snapshotTime: APIDate, transportableSnapshotID: String) async throws {
        try await self.caller.perform("VM.update_snapshot_metadata", [vm.wire, snapshotOf.wire, snapshotTime.wire, transportableSnapshotID.wire])
    }

    /// Starts `VM.update_snapshot_metadata` and answers with its task.
    public func asyncUpdateSnapshotMetadata(_ vm: Ref<VM>, snapshotOf: Ref<VM>, snapshotTime: APIDate, transportableSnapshotID: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.update_snapshot_metadata", [vm.wire, snapshotOf.wire, snapshotTime.wire, transportableSnapshotID.wire])
    }

    /// Calls `VM.retrieve_wlb_recommendations`.
    ///
    /// Since george. Role: read-only.
    public func retrieveWlbRecommendations(_ vm: Ref<VM>) async throws -> [Ref<Host>: [String]] {
        try await self.caller.invoke("VM.retrieve_wlb_recommendations", [vm.wire])
    }

    /// Starts `VM.retrieve_wlb_recommendations` and answers with its task.
    public func asyncRetrieveWlbRecommendations(_ vm: Ref<VM>) async throws -> XenTaskHandle<[Ref<Host>: [String]]> {
        try await self.caller.launch("VM.retrieve_wlb_recommendations", [vm.wire])
    }

    /// Sets, once, what the firmware says of the machine from its next start on.
    ///
    /// Since inverness. Role: vm-admin. Errors: `VM_BIOS_STRINGS_ALREADY_SET`, `INVALID_VALUE`.
    public func setBIOSStrings(_ vm: Ref<VM>, value: [String: String]) async throws {
        try await self.caller.perform("VM.set_bios_strings", [vm.wire, value.wire])
    }

    /// Starts `VM.set_bios_strings` and answers with its task.
    public func asyncSetBIOSStrings(_ vm: Ref<VM>, value: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_bios_strings", [vm.wire, value.wire])
    }

    /// Sets, once, what the firmware says of the machine to what the host's own says, where that can be told to a guest.
    ///
    /// Since midnight-ride. Role: vm-admin.
    public func copyBIOSStrings(_ vm: Ref<VM>, host: Ref<Host>) async throws {
        try await self.caller.perform("VM.copy_bios_strings", [vm.wire, host.wire])
    }

    /// Starts `VM.copy_bios_strings` and answers with its task.
    public func asyncCopyBIOSStrings(_ vm: Ref<VM>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.copy_bios_strings", [vm.wire, host.wire])
    }

    /// Calls `VM.set_protection_policy`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setProtectionPolicy(_ vm: Ref<VM>, value: Ref<VMPP>) async throws {
        try await self.caller.perform("VM.set_protection_policy", [vm.wire, value.wire])
    }

    /// Calls `VM.set_snapshot_schedule`.
    ///
    /// Since falcon. Role: pool-operator.
    public func setSnapshotSchedule(_ vm: Ref<VM>, value: Ref<VMSS>) async throws {
        try await self.caller.perform("VM.set_snapshot_schedule", [vm.wire, value.wire])
    }

    /// Sets how long to wait after its start before the next VM starts, seconds.
    ///
    /// Since boston. Role: pool-operator.
    public func setStartDelay(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_start_delay", [vm.wire, value.wire])
    }

    /// Starts `VM.set_start_delay` and answers with its task.
    public func asyncSetStartDelay(_ vm: Ref<VM>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_start_delay", [vm.wire, value.wire])
    }

    /// Sets how long VM.shutdown waits for the guest, seconds; 0: as long as the host does.
    ///
    /// Since boston. Role: pool-operator.
    public func setShutdownDelay(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_shutdown_delay", [vm.wire, value.wire])
    }

    /// Starts `VM.set_shutdown_delay` and answers with its task.
    public func asyncSetShutdownDelay(_ vm: Ref<VM>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_shutdown_delay", [vm.wire, value.wire])
    }

    /// Sets the place of the VM among those that start together.
    ///
    /// Since boston. Role: pool-operator.
    public func setOrder(_ vm: Ref<VM>, value: Int64) async throws {
        try await self.caller.perform("VM.set_order", [vm.wire, value.wire])
    }

    /// Starts `VM.set_order` and answers with its task.
    public func asyncSetOrder(_ vm: Ref<VM>, value: Int64) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_order", [vm.wire, value.wire])
    }

    /// Puts a disk with the same content in the place of the one that holds a suspended VM's memory.
    ///
    /// Since boston. Role: pool-operator.
    public func setSuspendVDI(_ vm: Ref<VM>, value: Ref<VDI>) async throws {
        try await self.caller.perform("VM.set_suspend_VDI", [vm.wire, value.wire])
    }

    /// Starts `VM.set_suspend_VDI` and answers with its task.
    public func asyncSetSuspendVDI(_ vm: Ref<VM>, value: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_suspend_VDI", [vm.wire, value.wire])
    }

    /// Calls `VM.assert_can_be_recovered`.
    ///
    /// Since boston. Role: read-only. Errors: `VM_IS_PART_OF_AN_APPLIANCE`, `VM_REQUIRES_SR`.
    public func assertCanBeRecovered(_ vm: Ref<VM>, sessionTo: Ref<Session>) async throws {
        try await self.caller.perform("VM.assert_can_be_recovered", [vm.wire, sessionTo.wire])
    }

    /// Starts `VM.assert_can_be_recovered` and answers with its task.
    public func asyncAssertCanBeRecovered(_ vm: Ref<VM>, sessionTo: Ref<Session>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.assert_can_be_recovered", [vm.wire, sessionTo.wire])
    }

    /// Calls `VM.get_SRs_required_for_recovery`.
    ///
    /// Since creedence. Role: read-only.
    public func getSRsRequiredForRecovery(_ vm: Ref<VM>, sessionTo: Ref<Session>) async throws -> [Ref<SR>] {
        try await self.caller.invoke("VM.get_SRs_required_for_recovery", [vm.wire, sessionTo.wire])
    }

    /// Starts `VM.get_SRs_required_for_recovery` and answers with its task.
    public func asyncGetSRsRequiredForRecovery(_ vm: Ref<VM>, sessionTo: Ref<Session>) async throws -> XenTaskHandle<[Ref<SR>]> {
        try await self.caller.launch("VM.get_SRs_required_for_recovery", [vm.wire, sessionTo.wire])
    }

    /// Calls `VM.recover`.
    ///
    /// Since boston. Role: read-only.
    public func recover(_ vm: Ref<VM>, sessionTo: Ref<Session>, force: Bool) async throws {
        try await self.caller.perform("VM.recover", [vm.wire, sessionTo.wire, force.wire])
    }

    /// Starts `VM.recover` and answers with its task.
    public func asyncRecover(_ vm: Ref<VM>, sessionTo: Ref<Session>, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.recover", [vm.wire, sessionTo.wire, force.wire])
    }

    /// Calls `VM.import_convert`.
    ///
    /// Since tampa. Role: vm-admin.
    public func importConvert(type: String, username: String, password: String, sr: Ref<SR>, remoteConfig: [String: String]) async throws {
        try await self.caller.perform("VM.import_convert", [type.wire, username.wire, password.wire, sr.wire, remoteConfig.wire])
    }

    /// Starts `VM.import_convert` and answers with its task.
    public func asyncImportConvert(type: String, username: String, password: String, sr: Ref<SR>, remoteConfig: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.import_convert", [type.wire, username.wire, password.wire, sr.wire, remoteConfig.wire])
    }

    /// Calls `VM.set_appliance`.
    ///
    /// Since boston. Role: pool-operator.
    public func setAppliance(_ vm: Ref<VM>, value: Ref<VMAppliance>) async throws {
        try await self.caller.perform("VM.set_appliance", [vm.wire, value.wire])
    }

    /// Starts `VM.set_appliance` and answers with its task.
    public func asyncSetAppliance(_ vm: Ref<VM>, value: Ref<VMAppliance>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_appliance", [vm.wire, value.wire])
    }

    /// Calls `VM.set_groups`.
    ///
    /// Since 24.19.1. Role: vm-admin. Errors: `OPERATION_NOT_ALLOWED`.
    public func setGroups(_ vm: Ref<VM>, value: [Ref<VMGroup>]) async throws {
        try await self.caller.perform("VM.set_groups", [vm.wire, value.wire])
    }

    /// Starts `VM.set_groups` and answers with its task.
    public func asyncSetGroups(_ vm: Ref<VM>, value: [Ref<VMGroup>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_groups", [vm.wire, value.wire])
    }

    /// Calls `VM.query_services`.
    ///
    /// Since tampa. Role: pool-admin.
    public func queryServices(_ vm: Ref<VM>) async throws -> [String: String] {
        try await self.caller.invoke("VM.query_services", [vm.wire])
    }

    /// Starts `VM.query_services` and answers with its task.
    public func asyncQueryServices(_ vm: Ref<VM>) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("VM.query_services", [vm.wire])
    }

    /// Calls `VM.call_plugin`.
    ///
    /// Since cream. Role: vm-operator.
    public func callPlugin(_ vm: Ref<VM>, plugin: String, fn: String, args: [String: String]) async throws -> String {
        try await self.caller.invoke("VM.call_plugin", [vm.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Starts `VM.call_plugin` and answers with its task.
    public func asyncCallPlugin(_ vm: Ref<VM>, plugin: String, fn: String, args: [String: String]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VM.call_plugin", [vm.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Calls `VM.call_host_plugin`.
    ///
    /// Since 25.22.0. Role: vm-operator.
    public func callHostPlugin(_ vm: Ref<VM>, plugin: String, fn: String, args: [String: String]) async throws -> String {
        try await self.caller.invoke("VM.call_host_plugin", [vm.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Starts `VM.call_host_plugin` and answers with its task.
    public func asyncCallHostPlugin(_ vm: Ref<VM>, plugin: String, fn: String, args: [String: String]) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VM.call_host_plugin", [vm.wire, plugin.wire, fn.wire, args.wire])
    }

    /// Calls `VM.set_has_vendor_device`.
    ///
    /// Since dundee. Role: vm-admin.
    public func setHasVendorDevice(_ vm: Ref<VM>, value: Bool) async throws {
        try await self.caller.perform("VM.set_has_vendor_device", [vm.wire, value.wire])
    }

    /// Starts `VM.set_has_vendor_device` and answers with its task.
    public func asyncSetHasVendorDevice(_ vm: Ref<VM>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_has_vendor_device", [vm.wire, value.wire])
    }

    /// Calls `VM.import`.
    ///
    /// Since dundee. Role: pool-operator.
    public func `import`(url: String, sr: Ref<SR>, fullRestore: Bool, force: Bool) async throws -> [Ref<VM>] {
        try await self.caller.invoke("VM.import", [url.wire, sr.wire, fullRestore.wire, force.wire])
    }

    /// Starts `VM.import` and answers with its task.
    public func asyncImport(url: String, sr: Ref<SR>, fullRestore: Bool, force: Bool) async throws -> XenTaskHandle<[Ref<VM>]> {
        try await self.caller.launch("VM.import", [url.wire, sr.wire, fullRestore.wire, force.wire])
    }

    /// Sets what becomes of the VM when its guest crashes.
    ///
    /// Since rio. Role: vm-admin.
    public func setActionsAfterCrash(_ vm: Ref<VM>, value: OnCrashBehaviour) async throws {
        try await self.caller.perform("VM.set_actions_after_crash", [vm.wire, value.wire])
    }

    /// Starts `VM.set_actions_after_crash` and answers with its task.
    public func asyncSetActionsAfterCrash(_ vm: Ref<VM>, value: OnCrashBehaviour) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_actions_after_crash", [vm.wire, value.wire])
    }

    /// Calls `VM.set_domain_type`.
    ///
    /// Since kolkata. Role: vm-admin.
    public func setDomainType(_ vm: Ref<VM>, value: DomainType) async throws {
        try await self.caller.perform("VM.set_domain_type", [vm.wire, value.wire])
    }

    /// Sets what the firmware boots from.
    ///
    /// Since rio, deprecated in kolkata. Role: vm-admin.
    public func setHVMBootPolicy(_ vm: Ref<VM>, value: String) async throws {
        try await self.caller.perform("VM.set_HVM_boot_policy", [vm.wire, value.wire])
    }

    /// Calls `VM.set_NVRAM_EFI_variables`.
    ///
    /// Since naples. Role: local-root-only.
    public func setNVRAMEFIVariables(_ vm: Ref<VM>, value: String, update: UpdateStatus = .unspecified) async throws {
        try await self.caller.perform("VM.set_NVRAM_EFI_variables", [vm.wire, value.wire, update.wire], defaults: [.string("unspecified")])
    }

    /// Calls `VM.restart_device_models`.
    ///
    /// Since 23.30.0. Role: vm-power-admin+client-cert. Errors: `VM_BAD_POWER_STATE`, `OTHER_OPERATION_IN_PROGRESS`, `VM_IS_TEMPLATE`, `OPERATION_NOT_ALLOWED`, `VM_BAD_POWER_STATE`.
    public func restartDeviceModels(_ vm: Ref<VM>) async throws {
        try await self.caller.perform("VM.restart_device_models", [vm.wire])
    }

    /// Starts `VM.restart_device_models` and answers with its task.
    public func asyncRestartDeviceModels(_ vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.restart_device_models", [vm.wire])
    }

    /// Calls `VM.set_uefi_mode`.
    ///
    /// Since 24.17.0. Role: pool-admin.
    public func setUEFIMode(_ vm: Ref<VM>, mode: VMUEFIMode) async throws -> String {
        try await self.caller.invoke("VM.set_uefi_mode", [vm.wire, mode.wire])
    }

    /// Starts `VM.set_uefi_mode` and answers with its task.
    public func asyncSetUEFIMode(_ vm: Ref<VM>, mode: VMUEFIMode) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VM.set_uefi_mode", [vm.wire, mode.wire])
    }

    /// Calls `VM.get_secureboot_readiness`.
    ///
    /// Since 24.17.0. Role: pool-admin.
    public func getSecurebootReadiness(_ vm: Ref<VM>) async throws -> Open<VMSecurebootReadiness> {
        try await self.caller.invoke("VM.get_secureboot_readiness", [vm.wire])
    }

    /// Starts `VM.get_secureboot_readiness` and answers with its task.
    public func asyncGetSecurebootReadiness(_ vm: Ref<VM>) async throws -> XenTaskHandle<Open<VMSecurebootReadiness>> {
        try await self.caller.launch("VM.get_secureboot_readiness", [vm.wire])
    }

    /// Calls `VM.update_secureboot_certificates_on_boot`.
    ///
    /// Since 26.14.0. Role: vm-admin.
    public func updateSecurebootCertificatesOnBoot(_ vm: Ref<VM>, mark: Bool) async throws {
        try await self.caller.perform("VM.update_secureboot_certificates_on_boot", [vm.wire, mark.wire])
    }

    /// Starts `VM.update_secureboot_certificates_on_boot` and answers with its task.
    public func asyncUpdateSecurebootCertificatesOnBoot(_ vm: Ref<VM>, mark: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.update_secureboot_certificates_on_boot", [vm.wire, mark.wire])
    }

    /// Sets the operations that are refused, each with the error's text.
    ///
    /// Since orlando. Role: vm-admin.
    public func setBlockedOperations(_ vm: Ref<VM>, value: [VMOperations: String]) async throws {
        try await self.caller.perform("VM.set_blocked_operations", [vm.wire, value.wire])
    }

    /// Starts `VM.set_blocked_operations` and answers with its task.
    public func asyncSetBlockedOperations(_ vm: Ref<VM>, value: [VMOperations: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.set_blocked_operations", [vm.wire, value.wire])
    }

    /// Refuses an operation from now on, with the given text.
    ///
    /// Since orlando. Role: vm-admin.
    public func addToBlockedOperations(_ vm: Ref<VM>, key: VMOperations, value: String) async throws {
        try await self.caller.perform("VM.add_to_blocked_operations", [vm.wire, key.wire, value.wire])
    }

    /// Starts `VM.add_to_blocked_operations` and answers with its task.
    public func asyncAddToBlockedOperations(_ vm: Ref<VM>, key: VMOperations, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.add_to_blocked_operations", [vm.wire, key.wire, value.wire])
    }

    /// Lets an operation be done again.
    ///
    /// Since orlando. Role: vm-admin.
    public func removeFromBlockedOperations(_ vm: Ref<VM>, key: VMOperations) async throws {
        try await self.caller.perform("VM.remove_from_blocked_operations", [vm.wire, key.wire])
    }

    /// Starts `VM.remove_from_blocked_operations` and answers with its task.
    public func asyncRemoveFromBlockedOperations(_ vm: Ref<VM>, key: VMOperations) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.remove_from_blocked_operations", [vm.wire, key.wire])
    }

    /// Calls `VM.sysprep`.
    ///
    /// Since 25.24.0. Role: vm-admin.
    public func sysprep(_ vm: Ref<VM>, unattend: String, timeout: Double) async throws {
        try await self.caller.perform("VM.sysprep", [vm.wire, unattend.wire, timeout.wire])
    }

    /// Starts `VM.sysprep` and answers with its task.
    public func asyncSysprep(_ vm: Ref<VM>, unattend: String, timeout: Double) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM.sysprep", [vm.wire, unattend.wire, timeout.wire])
    }

    /// Adds an entry to what clients keep with the VM.
    ///
    /// Since rio. Role: vm-admin.
    public func addToOtherConfig(_ vm: Ref<VM>, key: String, value: String) async throws {
        try await self.caller.perform("VM.add_to_other_config", [vm.wire, key.wire, value.wire])
    }

    /// Takes an entry out of what clients keep with the VM.
    ///
    /// Since rio. Role: vm-admin.
    public func removeFromOtherConfig(_ vm: Ref<VM>, key: String) async throws {
        try await self.caller.perform("VM.remove_from_other_config", [vm.wire, key.wire])
    }

    /// Sets what clients keep with the VM; each guarded entry needs the role that the datamodel gives it.
    ///
    /// Since rio. Role: vm-admin.
    public func setOtherConfig(_ vm: Ref<VM>, value: [String: String]) async throws {
        try await self.caller.perform("VM.set_other_config", [vm.wire, value.wire])
    }

    /// Adds an entry to how the machine is built.
    ///
    /// Since rio. Role: vm-admin.
    public func addToPlatform(_ vm: Ref<VM>, key: String, value: String) async throws {
        try await self.caller.perform("VM.add_to_platform", [vm.wire, key.wire, value.wire])
    }

    /// Takes an entry out of how the machine is built.
    ///
    /// Since rio. Role: vm-admin.
    public func removeFromPlatform(_ vm: Ref<VM>, key: String) async throws {
        try await self.caller.perform("VM.remove_from_platform", [vm.wire, key.wire])
    }

    /// Sets how the machine is built, from the next start on.
    ///
    /// Since rio. Role: vm-admin.
    public func setPlatform(_ vm: Ref<VM>, value: [String: String]) async throws {
        try await self.caller.perform("VM.set_platform", [vm.wire, value.wire])
    }
}
