// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `session`.
public enum Session: XenClass {
    public static let className = "session"

    public static let uuid = FieldKey<Session, String>("uuid")
    public static let thisHost = FieldKey<Session, Ref<Host>>("this_host")
    public static let thisUser = FieldKey<Session, Ref<User>>("this_user")
    public static let lastActive = FieldKey<Session, APIDate>("last_active")
    public static let pool = FieldKey<Session, Bool>("pool")
    public static let otherConfig = FieldKey<Session, [String: String]>("other_config")
    public static let isLocalSuperuser = FieldKey<Session, Bool>("is_local_superuser")
    public static let subject = FieldKey<Session, Ref<Subject>>("subject")
    public static let validationTime = FieldKey<Session, APIDate>("validation_time")
    public static let authUserSid = FieldKey<Session, String>("auth_user_sid")
    public static let authUserName = FieldKey<Session, String>("auth_user_name")
    public static let rbacPermissions = FieldKey<Session, [String]>("rbac_permissions")
    public static let tasks = FieldKey<Session, [Ref<XenTask>]>("tasks")
    public static let parent = FieldKey<Session, Ref<Session>>("parent")
    public static let originator = FieldKey<Session, String>("originator")
    public static let clientCertificate = FieldKey<Session, Bool>("client_certificate")
}
