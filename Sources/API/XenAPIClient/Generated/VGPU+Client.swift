// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VGPU`.
public struct VGPURecord: XenRecord {
    public var uuid: String
    public var vm: Ref<VM>
    public var gpuGroup: Ref<GPUGroup>
    public var device: String
    public var currentlyAttached: Bool
    public var otherConfig: [String: String]
    public var type: Ref<VGPUType>
    public var residentOn: Ref<PGPU>
    public var scheduledToBeResidentOn: Ref<PGPU>
    public var compatibilityMetadata: [String: String]?
    public var extraArgs: String?
    public var pci: Ref<PCI>?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VGPU")
        uuid = try record.field("uuid")
        vm = try record.field("VM")
        gpuGroup = try record.field("GPU_group")
        device = try record.field("device")
        currentlyAttached = try record.field("currently_attached")
        otherConfig = try record.field("other_config")
        type = try record.field("type")
        residentOn = try record.field("resident_on")
        scheduledToBeResidentOn = try record.field("scheduled_to_be_resident_on")
        compatibilityMetadata = try record.optional("compatibility_metadata")
        extraArgs = try record.optional("extra_args")
        pci = try record.optional("PCI")
    }
}

extension VGPU: RecordClass { public typealias Record = VGPURecord }

/// The messages of the class `VGPU`.
public struct VGPUCalls: ObjectCalls, ListingCalls {
    public typealias Class = VGPU
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VGPU.create`.
    ///
    /// Since boston. Role: pool-operator.
    public func create(vm: Ref<VM>, gpuGroup: Ref<GPUGroup>, device: String = "0", otherConfig: [String: String] = [:], type: Ref<VGPUType> = .null) async throws -> Ref<VGPU> {
        try await self.caller.invoke("VGPU.create", [vm.wire, gpuGroup.wire, device.wire, otherConfig.wire, type.wire], defaults: [.string("0"), .structure([]), .string("OpaqueRef:NULL")])
    }

    /// Starts `VGPU.create` and answers with its task.
    public func asyncCreate(vm: Ref<VM>, gpuGroup: Ref<GPUGroup>, device: String = "0", otherConfig: [String: String] = [:], type: Ref<VGPUType> = .null) async throws -> XenTaskHandle<Ref<VGPU>> {
        try await self.caller.launch("VGPU.create", [vm.wire, gpuGroup.wire, device.wire, otherConfig.wire, type.wire], defaults: [.string("0"), .structure([]), .string("OpaqueRef:NULL")])
    }

    /// Calls `VGPU.destroy`.
    ///
    /// Since boston. Role: pool-operator.
    public func destroy(_ vgpu: Ref<VGPU>) async throws {
        try await self.caller.perform("VGPU.destroy", [vgpu.wire])
    }

    /// Starts `VGPU.destroy` and answers with its task.
    public func asyncDestroy(_ vgpu: Ref<VGPU>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VGPU.destroy", [vgpu.wire])
    }

    /// Calls `VGPU.atomic_set_resident_on`.
    ///
    /// Since dundee. Role: local-root-only. Between the hosts of a pool only.
    public func atomicSetResidentOn(_ vgpu: Ref<VGPU>, value: Ref<PGPU>) async throws {
        try await self.caller.perform("VGPU.atomic_set_resident_on", [vgpu.wire, value.wire])
    }

    /// Starts `VGPU.atomic_set_resident_on` and answers with its task.
    public func asyncAtomicSetResidentOn(_ vgpu: Ref<VGPU>, value: Ref<PGPU>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VGPU.atomic_set_resident_on", [vgpu.wire, value.wire])
    }
}
