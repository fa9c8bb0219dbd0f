// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VGPU_type`.
public enum VGPUType: XenClass {
    public static let className = "VGPU_type"

    public static let uuid = FieldKey<VGPUType, String>("uuid")
    public static let vendorName = FieldKey<VGPUType, String>("vendor_name")
    public static let modelName = FieldKey<VGPUType, String>("model_name")
    public static let framebufferSize = FieldKey<VGPUType, Int64>("framebuffer_size")
    public static let maxHeads = FieldKey<VGPUType, Int64>("max_heads")
    public static let maxResolutionX = FieldKey<VGPUType, Int64>("max_resolution_x")
    public static let maxResolutionY = FieldKey<VGPUType, Int64>("max_resolution_y")
    /// Never sent to clients.
    public static let size = FieldKey<VGPUType, Int64>("size")
    public static let supportedOnPGPUs = FieldKey<VGPUType, [Ref<PGPU>]>("supported_on_PGPUs")
    public static let enabledOnPGPUs = FieldKey<VGPUType, [Ref<PGPU>]>("enabled_on_PGPUs")
    public static let vgpus = FieldKey<VGPUType, [Ref<VGPU>]>("VGPUs")
    /// Never sent to clients.
    public static let internalConfig = FieldKey<VGPUType, [String: String]>("internal_config")
    public static let supportedOnGPUGroups = FieldKey<VGPUType, [Ref<GPUGroup>]>("supported_on_GPU_groups")
    public static let enabledOnGPUGroups = FieldKey<VGPUType, [Ref<GPUGroup>]>("enabled_on_GPU_groups")
    public static let implementation = FieldKey<VGPUType, VGPUTypeImplementation>("implementation")
    public static let identifier = FieldKey<VGPUType, String>("identifier")
    public static let experimental = FieldKey<VGPUType, Bool>("experimental")
    public static let compatibleTypesInVM = FieldKey<VGPUType, [Ref<VGPUType>]>("compatible_types_in_vm")
    /// Never sent to clients.
    public static let compatibleTypesOnPGPU = FieldKey<VGPUType, [Ref<VGPUType>]>("compatible_types_on_pgpu")
}
