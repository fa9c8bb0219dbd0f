// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PGPU`.
public enum PGPU: XenClass {
    public static let className = "PGPU"

    public static let uuid = FieldKey<PGPU, String>("uuid")
    public static let pci = FieldKey<PGPU, Ref<PCI>>("PCI")
    public static let gpuGroup = FieldKey<PGPU, Ref<GPUGroup>>("GPU_group")
    public static let host = FieldKey<PGPU, Ref<Host>>("host")
    public static let otherConfig = FieldKey<PGPU, [String: String]>("other_config")
    public static let supportedVGPUTypes = FieldKey<PGPU, [Ref<VGPUType>]>("supported_VGPU_types")
    public static let enabledVGPUTypes = FieldKey<PGPU, [Ref<VGPUType>]>("enabled_VGPU_types")
    public static let residentVGPUs = FieldKey<PGPU, [Ref<VGPU>]>("resident_VGPUs")
    /// Never sent to clients.
    public static let size = FieldKey<PGPU, Int64>("size")
    public static let supportedVGPUMaxCapacities = FieldKey<PGPU, [Ref<VGPUType>: Int64]>(
        "supported_VGPU_max_capacities")
    public static let dom0Access = FieldKey<PGPU, PCIDom0Access>("dom0_access")
    public static let isSystemDisplayDevice = FieldKey<PGPU, Bool>("is_system_display_device")
    public static let compatibilityMetadata = FieldKey<PGPU, [String: String]>("compatibility_metadata")
}
