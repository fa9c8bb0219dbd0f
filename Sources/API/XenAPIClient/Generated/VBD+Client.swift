// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VBD`. The connection of a VM with a disk, or an empty drive.
public struct VBDRecord: XenRecord {
    /// Identifies the connection.
    public var uuid: String
    /// What may be asked of it now.
    public var allowedOperations: [Open<VBDOperations>]
    /// What is being done with it, by task.
    public var currentOperations: [String: Open<VBDOperations>]
    /// The VM.
    public var vm: Ref<VM>
    /// The disk; null for an empty drive.
    public var vdi: Ref<VDI>
    /// The name of the device in the guest.
    public var device: String
    /// The position that was asked for: a number, a name, or `autodetect`.
    public var userdevice: String
    /// Whether the VM may boot from it.
    public var bootable: Bool
    /// Whether the VM may write.
    public var mode: Open<VBDMode>
    /// A disk, a CD or a floppy.
    public var type: Open<VBDType>
    /// Whether it can go while the VM runs.
    public var unpluggable: Bool
    /// Whether the repository has it locked.
    public var storageLock: Bool
    /// Whether it is a drive without a medium.
    public var empty: Bool
    /// For notes.
    public var otherConfig: [String: String]
    /// Whether the guest sees it now.
    public var currentlyAttached: Bool
    /// How the last attachment ended.
    public var statusCode: Int64
    /// The same in words.
    public var statusDetail: String
    public var runtimeProperties: [String: String]
    /// How its share of the storage is limited.
    public var qosAlgorithmType: String
    /// The limits.
    public var qosAlgorithmParams: [String: String]
    public var qosSupportedAlgorithms: [String]
    /// What is measured of it.
    public var metrics: Ref<VBDMetrics>?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VBD")
        uuid = try record.field("uuid")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vm = try record.field("VM")
        vdi = try record.field("VDI")
        device = try record.field("device")
        userdevice = try record.field("userdevice")
        bootable = try record.field("bootable")
        mode = try record.field("mode")
        type = try record.field("type")
        unpluggable = try record.field("unpluggable")
        storageLock = try record.field("storage_lock")
        empty = try record.field("empty")
        otherConfig = try record.field("other_config")
        currentlyAttached = try record.field("currently_attached")
        statusCode = try record.field("status_code")
        statusDetail = try record.field("status_detail")
        runtimeProperties = try record.field("runtime_properties")
        qosAlgorithmType = try record.field("qos_algorithm_type")
        qosAlgorithmParams = try record.field("qos_algorithm_params")
        qosSupportedAlgorithms = try record.field("qos_supported_algorithms")
        metrics = try record.optional("metrics")
    }
}

extension VBD: RecordClass { public typealias Record = VBDRecord }

/// What `VBD.create` takes. The server has its own value for a member that is nil.
public struct VBDCreation: WireWritable {
    /// The VM.
    public var vm: Ref<VM>
    /// The disk; null for an empty drive.
    public var vdi: Ref<VDI>
    /// The name of the device in the guest.
    public var device: String?
    /// The position that was asked for: a number, a name, or `autodetect`.
    public var userdevice: String
    /// Whether the VM may boot from it.
    public var bootable: Bool
    /// Whether the VM may write.
    public var mode: VBDMode
    /// A disk, a CD or a floppy.
    public var type: VBDType
    /// Whether it can go while the VM runs.
    public var unpluggable: Bool?
    /// Whether it is a drive without a medium.
    public var empty: Bool
    /// For notes.
    public var otherConfig: [String: String]
    /// Whether the guest sees it now.
    public var currentlyAttached: Bool?
    /// How its share of the storage is limited.
    public var qosAlgorithmType: String
    /// The limits.
    public var qosAlgorithmParams: [String: String]

    public init(
        vm: Ref<VM>,
        vdi: Ref<VDI>,
        device: String? = nil,
        userdevice: String,
        bootable: Bool = false,
        mode: VBDMode,
        type: VBDType,
        unpluggable: Bool? = nil,
        empty: Bool = false,
        otherConfig: [String: String] = [:],
        currentlyAttached: Bool? = nil,
        qosAlgorithmType: String,
        qosAlgorithmParams: [String: String] = [:]
    ) {
        self.vm = vm
        self.vdi = vdi
        self.device = device
        self.userdevice = userdevice
        self.bootable = bootable
        self.mode = mode
        self.type = type
        self.unpluggable = unpluggable
        self.empty = empty
        self.otherConfig = otherConfig
        self.currentlyAttached = currentlyAttached
        self.qosAlgorithmType = qosAlgorithmType
        self.qosAlgorithmParams = qosAlgorithmParams
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.put("VM", vm)
        record.put("VDI", vdi)
        record.putIfGiven("device", device)
        record.put("userdevice", userdevice)
        record.put("bootable", bootable)
        record.put("mode", mode)
        record.put("type", type)
        record.putIfGiven("unpluggable", unpluggable)
        record.put("empty", empty)
        record.put("other_config", otherConfig)
        record.putIfGiven("currently_attached", currentlyAttached)
        record.put("qos_algorithm_type", qosAlgorithmType)
        record.put("qos_algorithm_params", qosAlgorithmParams)
        return record.wire
    }
}

extension VBD: CreatableClass { public typealias Creation = VBDCreation }

/// The messages of the class `VBD`.
public struct VBDCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = VBD
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Takes the medium out.
    ///
    /// Since rio. Role: vm-operator. Errors: `VBD_NOT_REMOVABLE_MEDIA`, `VBD_IS_EMPTY`.
    public func eject(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.eject", [vbd.wire])
    }

    /// Starts `VBD.eject` and answers with its task.
    public func asyncEject(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.eject", [vbd.wire])
    }

    /// Puts a medium into the drive.
    ///
    /// Since rio. Role: vm-operator. Errors: `VBD_NOT_REMOVABLE_MEDIA`, `VBD_NOT_EMPTY`.
    public func insert(_ vbd: Ref<VBD>, vdi: Ref<VDI>) async throws {
        try await self.caller.perform("VBD.insert", [vbd.wire, vdi.wire])
    }

    /// Starts `VBD.insert` and answers with its task.
    public func asyncInsert(_ vbd: Ref<VBD>, vdi: Ref<VDI>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.insert", [vbd.wire, vdi.wire])
    }

    /// Attaches the disk to the running VM.
    ///
    /// Since rio. Role: vm-admin.
    public func plug(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.plug", [vbd.wire])
    }

    /// Starts `VBD.plug` and answers with its task.
    public func asyncPlug(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.plug", [vbd.wire])
    }

    /// Detaches it; the guest must let it go.
    ///
    /// Since rio. Role: vm-admin. Errors: `DEVICE_DETACH_REJECTED`, `DEVICE_ALREADY_DETACHED`.
    public func unplug(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.unplug", [vbd.wire])
    }

    /// Starts `VBD.unplug` and answers with its task.
    public func asyncUnplug(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.unplug", [vbd.wire])
    }

    /// Detaches it whether the guest lets it go or not.
    ///
    /// Since rio. Role: vm-admin.
    public func unplugForce(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.unplug_force", [vbd.wire])
    }

    /// Starts `VBD.unplug_force` and answers with its task.
    public func asyncUnplugForce(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.unplug_force", [vbd.wire])
    }

    /// Calls `VBD.unplug_force_no_safety_check`.
    ///
    /// Since symc, deprecated in ely. Role: vm-admin.
    public func unplugForceNoSafetyCheck(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.unplug_force_no_safety_check", [vbd.wire])
    }

    /// Starts `VBD.unplug_force_no_safety_check` and answers with its task.
    public func asyncUnplugForceNoSafetyCheck(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.unplug_force_no_safety_check", [vbd.wire])
    }

    /// Throws what keeps the disk from being attached now.
    ///
    /// Since rio. Role: vm-admin.
    public func assertAttachable(_ vbd: Ref<VBD>) async throws {
        try await self.caller.perform("VBD.assert_attachable", [vbd.wire])
    }

    /// Starts `VBD.assert_attachable` and answers with its task.
    public func asyncAssertAttachable(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.assert_attachable", [vbd.wire])
    }

    /// Calls `VBD.pause`.
    ///
    /// Since symc. Role: vm-admin.
    public func pause(_ vbd: Ref<VBD>) async throws -> String {
        try await self.caller.invoke("VBD.pause", [vbd.wire])
    }

    /// Starts `VBD.pause` and answers with its task.
    public func asyncPause(_ vbd: Ref<VBD>) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("VBD.pause", [vbd.wire])
    }

    /// Calls `VBD.unpause`.
    ///
    /// Since symc. Role: vm-admin.
    public func unpause(_ vbd: Ref<VBD>, token: String = "") async throws {
        try await self.caller.perform("VBD.unpause", [vbd.wire, token.wire], defaults: [.string("")])
    }

    /// Starts `VBD.unpause` and answers with its task.
    public func asyncUnpause(_ vbd: Ref<VBD>, token: String = "") async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.unpause", [vbd.wire, token.wire], defaults: [.string("")])
    }

    /// Whether the VM may write; only while it is not attached.
    ///
    /// Since rio. Role: vm-admin.
    public func setMode(_ vbd: Ref<VBD>, value: VBDMode) async throws {
        try await self.caller.perform("VBD.set_mode", [vbd.wire, value.wire])
    }

    /// Starts `VBD.set_mode` and answers with its task.
    public func asyncSetMode(_ vbd: Ref<VBD>, value: VBDMode) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VBD.set_mode", [vbd.wire, value.wire])
    }
}
