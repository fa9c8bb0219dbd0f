// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `network`.
public enum Network: XenClass {
    public static let className = "network"

    public static let uuid = FieldKey<Network, String>("uuid")
    public static let nameLabel = FieldKey<Network, String>("name_label")
    public static let nameDescription = FieldKey<Network, String>("name_description")
    public static let allowedOperations = FieldKey<Network, [NetworkOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<Network, [String: NetworkOperations]>("current_operations")
    public static let vifs = FieldKey<Network, [Ref<VIF>]>("VIFs")
    public static let pifs = FieldKey<Network, [Ref<PIF>]>("PIFs")
    public static let mtu = FieldKey<Network, Int64>("MTU")
    public static let otherConfig = FieldKey<Network, [String: String]>("other_config")
    public static let bridge = FieldKey<Network, String>("bridge")
    public static let managed = FieldKey<Network, Bool>("managed")
    public static let blobs = FieldKey<Network, [String: Ref<Blob>]>("blobs")
    public static let tags = FieldKey<Network, [String]>("tags")
    public static let defaultLockingMode = FieldKey<Network, NetworkDefaultLockingMode>("default_locking_mode")
    public static let assignedIPs = FieldKey<Network, [Ref<VIF>: String]>("assigned_ips")
    public static let purpose = FieldKey<Network, [NetworkPurpose]>("purpose")
}
