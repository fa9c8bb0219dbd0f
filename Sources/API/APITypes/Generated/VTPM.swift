// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VTPM`.
public enum VTPM: XenClass {
    public static let className = "VTPM"

    public static let uuid = FieldKey<VTPM, String>("uuid")
    public static let allowedOperations = FieldKey<VTPM, [VTPMOperations]>("allowed_operations")
    public static let currentOperations = FieldKey<VTPM, [String: VTPMOperations]>("current_operations")
    public static let vm = FieldKey<VTPM, Ref<VM>>("VM")
    public static let backend = FieldKey<VTPM, Ref<VM>>("backend")
    public static let persistenceBackend = FieldKey<VTPM, PersistenceBackend>("persistence_backend")
    public static let isUnique = FieldKey<VTPM, Bool>("is_unique")
    public static let isProtected = FieldKey<VTPM, Bool>("is_protected")
    /// Never sent to clients.
    public static let contents = FieldKey<VTPM, Ref<Secret>>("contents")
}
