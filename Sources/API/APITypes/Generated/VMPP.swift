// Generated from DataModel by scripts/generate.sh. Do not edit.

/// The class `VMPP`.
public enum VMPP: XenClass {
    public static let className = "VMPP"

    public static let uuid = FieldKey<VMPP, String>("uuid")
    public static let nameLabel = FieldKey<VMPP, String>("name_label")
    public static let nameDescription = FieldKey<VMPP, String>("name_description")
    public static let isPolicyEnabled = FieldKey<VMPP, Bool>("is_policy_enabled")
    public static let backupType = FieldKey<VMPP, VMPPBackupType>("backup_type")
    public static let backupRetentionValue = FieldKey<VMPP, Int64>("backup_retention_value")
    public static let backupFrequency = FieldKey<VMPP, VMPPBackupFrequency>("backup_frequency")
    public static let backupSchedule = FieldKey<VMPP, [String: String]>("backup_schedule")
    public static let isBackupRunning = FieldKey<VMPP, Bool>("is_backup_running")
    public static let backupLastRunTime = FieldKey<VMPP, APIDate>("backup_last_run_time")
    public static let archiveTargetType = FieldKey<VMPP, VMPPArchiveTargetType>("archive_target_type")
    public static let archiveTargetConfig = FieldKey<VMPP, [String: String]>("archive_target_config")
    public static let archiveFrequency = FieldKey<VMPP, VMPPArchiveFrequency>("archive_frequency")
    public static let archiveSchedule = FieldKey<VMPP, [String: String]>("archive_schedule")
    public static let isArchiveRunning = FieldKey<VMPP, Bool>("is_archive_running")
    public static let archiveLastRunTime = FieldKey<VMPP, APIDate>("archive_last_run_time")
    public static let vms = FieldKey<VMPP, [Ref<VM>]>("VMs")
    public static let isAlarmEnabled = FieldKey<VMPP, Bool>("is_alarm_enabled")
    public static let alarmConfig = FieldKey<VMPP, [String: String]>("alarm_config")
    public static let recentAlerts = FieldKey<VMPP, [String]>("recent_alerts")
}
