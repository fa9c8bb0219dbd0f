// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PVS_cache_storage`.
public enum PVSCacheStorage: XenClass {
    public static let className = "PVS_cache_storage"

    public static let uuid = FieldKey<PVSCacheStorage, String>("uuid")
    public static let host = FieldKey<PVSCacheStorage, Ref<Host>>("host")
    public static let sr = FieldKey<PVSCacheStorage, Ref<SR>>("SR")
    public static let site = FieldKey<PVSCacheStorage, Ref<PVSSite>>("site")
    public static let size = FieldKey<PVSCacheStorage, Int64>("size")
    public static let vdi = FieldKey<PVSCacheStorage, Ref<VDI>>("VDI")
}
