// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PGPU`.
public struct PGPURecord: XenRecord {
    public var uuid: String
    public var pci: Ref<PCI>
    public var gpuGroup: Ref<GPUGroup>
    public var host: Ref<Host>
    public var otherConfig: [String: String]
    public var supportedVGPUTypes: [Ref<VGPUType>]
    public var enabledVGPUTypes: [Ref<VGPUType>]
    public var residentVGPUs: [Ref<VGPU>]
    public var supportedVGPUMaxCapacities: [Ref<VGPUType>: Int64]
    public var dom0Access: Open<PCIDom0Access>
    public var isSystemDisplayDevice: Bool
    public var compatibilityMetadata: [String: String]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PGPU")
        uuid = try record.field("uuid")
        pci = try record.field("PCI")
        gpuGroup = try record.field("GPU_group")
        host = try record.field("host")
        otherConfig = try record.field("other_config")
        supportedVGPUTypes = try record.field("supported_VGPU_types")
        enabledVGPUTypes = try record.field("enabled_VGPU_types")
        residentVGPUs = try record.field("resident_VGPUs")
        supportedVGPUMaxCapacities = try record.field("supported_VGPU_max_capacities")
        dom0Access = try record.field("dom0_access")
        isSystemDisplayDevice = try record.field("is_system_display_device")
        compatibilityMetadata = try record.optional("compatibility_metadata")
    }
}

extension PGPU: RecordClass { public typealias Record = PGPURecord }

/// The messages of the class `PGPU`.
public struct PGPUCalls: ObjectCalls, ListingCalls {
    public typealias Class = PGPU
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PGPU.add_enabled_VGPU_types`.
    ///
    /// Since vgpu-tech-preview. Role: pool-operator.
    public func addEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: Ref<VGPUType>) async throws {
        try await self.caller.perform("PGPU.add_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Starts `PGPU.add_enabled_VGPU_types` and answers with its task.
    public func asyncAddEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: Ref<VGPUType>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PGPU.add_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Calls `PGPU.remove_enabled_VGPU_types`.
    ///
    /// Since vgpu-tech-preview. Role: pool-operator.
    public func removeEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: Ref<VGPUType>) async throws {
        try await self.caller.perform("PGPU.remove_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Starts `PGPU.remove_enabled_VGPU_types` and answers with its task.
    public func asyncRemoveEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: Ref<VGPUType>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PGPU.remove_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Calls `PGPU.set_enabled_VGPU_types`.
    ///
    /// Since vgpu-tech-preview. Role: pool-operator.
    public func setEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: [Ref<VGPUType>]) async throws {
        try await self.caller.perform("PGPU.set_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Starts `PGPU.set_enabled_VGPU_types` and answers with its task.
    public func asyncSetEnabledVGPUTypes(_ pgpu: Ref<PGPU>, value: [Ref<VGPUType>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PGPU.set_enabled_VGPU_types", [pgpu.wire, value.wire])
    }

    /// Calls `PGPU.set_GPU_group`.
    ///
    /// Since vgpu-tech-preview. Role: pool-operator.
    public func setGPUGroup(_ pgpu: Ref<PGPU>, value: Ref<GPUGroup>) async throws {
        try await self.caller.perform("PGPU.set_GPU_group", [pgpu.wire, value.wire])
    }

    /// Starts `PGPU.set_GPU_group` and answers with its task.
    public func asyncSetGPUGroup(_ pgpu: Ref<PGPU>, value: Ref<GPUGroup>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PGPU.set_GPU_group", [pgpu.wire, value.wire])
    }

    /// Calls `PGPU.get_remaining_capacity`.
    ///
    /// Since vgpu-tech-preview. Role: read-only.
    public func getRemainingCapacity(_ pgpu: Ref<PGPU>, vgpuType: Ref<VGPUType>) async throws -> Int64 {
        try await self.caller.invoke("PGPU.get_remaining_capacity", [pgpu.wire, vgpuType.wire])
    }

    /// Starts `PGPU.get_remaining_capacity` and answers with its task.
    public func asyncGetRemainingCapacity(_ pgpu: Ref<PGPU>, vgpuType: Ref<VGPUType>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("PGPU.get_remaining_capacity", [pgpu.wire, vgpuType.wire])
    }

    /// Calls `PGPU.enable_dom0_access`.
    ///
    /// Since cream, deprecated in 24.14.0. Role: pool-operator.
    public func enableDom0Access(_ pgpu: Ref<PGPU>) async throws -> Open<PCIDom0Access> {
        try await self.caller.invoke("PGPU.enable_dom0_access", [pgpu.wire])
    }

    /// Starts `PGPU.enable_dom0_access` and answers with its task.
    public func asyncEnableDom0Access(_ pgpu: Ref<PGPU>) async throws -> XenTaskHandle<Open<PCIDom0Access>> {
        try await self.caller.launch("PGPU.enable_dom0_access", [pgpu.wire])
    }

    /// Calls `PGPU.disable_dom0_access`.
    ///
    /// Since cream, deprecated in 24.14.0. Role: pool-operator.
    public func disableDom0Access(_ pgpu: Ref<PGPU>) async throws -> Open<PCIDom0Access> {
        try await self.caller.invoke("PGPU.disable_dom0_access", [pgpu.wire])
    }

    /// Starts `PGPU.disable_dom0_access` and answers with its task.
    public func asyncDisableDom0Access(_ pgpu: Ref<PGPU>) async throws -> XenTaskHandle<Open<PCIDom0Access>> {
        try await self.caller.launch("PGPU.disable_dom0_access", [pgpu.wire])
    }
}
