// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `PVS_site`.
public enum PVSSite: XenClass {
    public static let className = "PVS_site"

    public static let uuid = FieldKey<PVSSite, String>("uuid")
    public static let nameLabel = FieldKey<PVSSite, String>("name_label")
    public static let nameDescription = FieldKey<PVSSite, String>("name_description")
    public static let pvsUUID = FieldKey<PVSSite, String>("PVS_uuid")
    public static let cacheStorage = FieldKey<PVSSite, [Ref<PVSCacheStorage>]>("cache_storage")
    public static let servers = FieldKey<PVSSite, [Ref<PVSServer>]>("servers")
    public static let proxies = FieldKey<PVSSite, [Ref<PVSProxy>]>("proxies")
}
