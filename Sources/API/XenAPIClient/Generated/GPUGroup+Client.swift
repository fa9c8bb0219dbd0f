// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `GPU_group`.
public struct GPUGroupRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var pgpus: [Ref<PGPU>]
    public var vgpus: [Ref<VGPU>]
    public var gpuTypes: [String]
    public var otherConfig: [String: String]
    public var allocationAlgorithm: Open<AllocationAlgorithm>
    public var supportedVGPUTypes: [Ref<VGPUType>]
    public var enabledVGPUTypes: [Ref<VGPUType>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "GPU_group")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        pgpus = try record.field("PGPUs")
        vgpus = try record.field("VGPUs")
        gpuTypes = try record.field("GPU_types")
        otherConfig = try record.field("other_config")
        allocationAlgorithm = try record.field("allocation_algorithm")
        supportedVGPUTypes = try record.field("supported_VGPU_types")
        enabledVGPUTypes = try record.field("enabled_VGPU_types")
    }
}

extension GPUGroup: RecordClass { public typealias Record = GPUGroupRecord }

/// The messages of the class `GPU_group`.
public struct GPUGroupCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = GPUGroup
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `GPU_group.create`.
    ///
    /// Since boston. Role: pool-operator.
    public func create(nameLabel: String = "", nameDescription: String = "", otherConfig: [String: String] = [:]) async throws -> Ref<GPUGroup> {
        try await self.caller.invoke("GPU_group.create", [nameLabel.wire, nameDescription.wire, otherConfig.wire], defaults: [.string(""), .string(""), .structure([])])
    }

    /// Starts `GPU_group.create` and answers with its task.
    public func asyncCreate(nameLabel: String = "", nameDescription: String = "", otherConfig: [String: String] = [:]) async throws -> XenTaskHandle<Ref<GPUGroup>> {
        try await self.caller.launch("GPU_group.create", [nameLabel.wire, nameDescription.wire, otherConfig.wire], defaults: [.string(""), .string(""), .structure([])])
    }

    /// Calls `GPU_group.destroy`.
    ///
    /// Since boston. Role: pool-operator.
    public func destroy(_ gpuGroup: Ref<GPUGroup>) async throws {
        try await self.caller.perform("GPU_group.destroy", [gpuGroup.wire])
    }

    /// Starts `GPU_group.destroy` and answers with its task.
    public func asyncDestroy(_ gpuGroup: Ref<GPUGroup>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("GPU_group.destroy", [gpuGroup.wire])
    }

    /// Calls `GPU_group.update_enabled_VGPU_types`.
    ///
    /// Since vgpu-productisation. Role: pool-operator.
    public func updateEnabledVGPUTypes(_ gpuGroup: Ref<GPUGroup>) async throws {
        try await self.caller.perform("GPU_group.update_enabled_VGPU_types", [gpuGroup.wire])
    }

    /// Starts `GPU_group.update_enabled_VGPU_types` and answers with its task.
    public func asyncUpdateEnabledVGPUTypes(_ gpuGroup: Ref<GPUGroup>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("GPU_group.update_enabled_VGPU_types", [gpuGroup.wire])
    }

    /// Calls `GPU_group.update_supported_VGPU_types`.
    ///
    /// Since vgpu-productisation. Role: pool-operator.
    public func updateSupportedVGPUTypes(_ gpuGroup: Ref<GPUGroup>) async throws {
        try await self.caller.perform("GPU_group.update_supported_VGPU_types", [gpuGroup.wire])
    }

    /// Starts `GPU_group.update_supported_VGPU_types` and answers with its task.
    public func asyncUpdateSupportedVGPUTypes(_ gpuGroup: Ref<GPUGroup>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("GPU_group.update_supported_VGPU_types", [gpuGroup.wire])
    }

    /// Calls `GPU_group.get_remaining_capacity`.
    ///
    /// Since vgpu-tech-preview. Role: read-only.
    public func getRemainingCapacity(_ gpuGroup: Ref<GPUGroup>, vgpuType: Ref<VGPUType>) async throws -> Int64 {
        try await self.caller.invoke("GPU_group.get_remaining_capacity", [gpuGroup.wire, vgpuType.wire])
    }

    /// Starts `GPU_group.get_remaining_capacity` and answers with its task.
    public func asyncGetRemainingCapacity(_ gpuGroup: Ref<GPUGroup>, vgpuType: Ref<VGPUType>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("GPU_group.get_remaining_capacity", [gpuGroup.wire, vgpuType.wire])
    }
}
