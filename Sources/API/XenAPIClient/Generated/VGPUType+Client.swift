// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VGPU_type`.
public struct VGPUTypeRecord: XenRecord {
    public var uuid: String
    public var vendorName: String
    public var modelName: String
    public var framebufferSize: Int64
    public var maxHeads: Int64
    public var maxResolutionX: Int64
    public var maxResolutionY: Int64
    public var supportedOnPGPUs: [Ref<PGPU>]
    public var enabledOnPGPUs: [Ref<PGPU>]
    public var vgpus: [Ref<VGPU>]
    public var supportedOnGPUGroups: [Ref<GPUGroup>]
    public var enabledOnGPUGroups: [Ref<GPUGroup>]
    public var implementation: Open<VGPUTypeImplementation>
    public var identifier: String
    public var experimental: Bool
    public var compatibleTypesInVM: [Ref<VGPUType>]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VGPU_type")
        uuid = try record.field("uuid")
        vendorName = try record.field("vendor_name")
        modelName = try record.field("model_name")
        framebufferSize = try record.field("framebuffer_size")
        maxHeads = try record.field("max_heads")
        maxResolutionX = try record.field("max_resolution_x")
        maxResolutionY = try record.field("max_resolution_y")
        supportedOnPGPUs = try record.field("supported_on_PGPUs")
        enabledOnPGPUs = try record.field("enabled_on_PGPUs")
        vgpus = try record.field("VGPUs")
        supportedOnGPUGroups = try record.field("supported_on_GPU_groups")
        enabledOnGPUGroups = try record.field("enabled_on_GPU_groups")
        implementation = try record.field("implementation")
        identifier = try record.field("identifier")
        experimental = try record.field("experimental")
        compatibleTypesInVM = try record.optional("compatible_types_in_vm")
    }
}

extension VGPUType: RecordClass { public typealias Record = VGPUTypeRecord }

/// The messages of the class `VGPU_type`.
public struct VGPUTypeCalls: ObjectCalls, ListingCalls {
    public typealias Class = VGPUType
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
