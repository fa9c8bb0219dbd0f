// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `GPU_group`.
public enum GPUGroup: XenClass {
    public static let className = "GPU_group"

    public static let uuid = FieldKey<GPUGroup, String>("uuid")
    public static let nameLabel = FieldKey<GPUGroup, String>("name_label")
    public static let nameDescription = FieldKey<GPUGroup, String>("name_description")
    public static let pgpus = FieldKey<GPUGroup, [Ref<PGPU>]>("PGPUs")
    public static let vgpus = FieldKey<GPUGroup, [Ref<VGPU>]>("VGPUs")
    public static let gpuTypes = FieldKey<GPUGroup, [String]>("GPU_types")
    public static let otherConfig = FieldKey<GPUGroup, [String: String]>("other_config")
    public static let allocationAlgorithm = FieldKey<GPUGroup, AllocationAlgorithm>("allocation_algorithm")
    public static let supportedVGPUTypes = FieldKey<GPUGroup, [Ref<VGPUType>]>("supported_VGPU_types")
    public static let enabledVGPUTypes = FieldKey<GPUGroup, [Ref<VGPUType>]>("enabled_VGPU_types")
}
