// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VGPU`.
public enum VGPU: XenClass {
    public static let className = "VGPU"

    public static let uuid = FieldKey<VGPU, String>("uuid")
    public static let vm = FieldKey<VGPU, Ref<VM>>("VM")
    public static let gpuGroup = FieldKey<VGPU, Ref<GPUGroup>>("GPU_group")
    public static let device = FieldKey<VGPU, String>("device")
    public static let currentlyAttached = FieldKey<VGPU, Bool>("currently_attached")
    public static let otherConfig = FieldKey<VGPU, [String: String]>("other_config")
    public static let type = FieldKey<VGPU, Ref<VGPUType>>("type")
    public static let residentOn = FieldKey<VGPU, Ref<PGPU>>("resident_on")
    public static let scheduledToBeResidentOn = FieldKey<VGPU, Ref<PGPU>>("scheduled_to_be_resident_on")
    public static let compatibilityMetadata = FieldKey<VGPU, [String: String]>("compatibility_metadata")
    public static let extraArgs = FieldKey<VGPU, String>("extra_args")
    public static let pci = FieldKey<VGPU, Ref<PCI>>("PCI")
}
