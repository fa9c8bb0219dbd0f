// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VMPP`.
public struct VMPPRecord: XenRecord {
    public var uuid: String?
    public var nameLabel: String?
    public var nameDescription: String?
    public var isPolicyEnabled: Bool?
    public var backupType: Open<VMPPBackupType>?
    public var backupRetentionValue: Int64?
    public var backupFrequency: Open<VMPPBackupFrequency>?
    public var backupSchedule: [String: String]?
    public var isBackupRunning: Bool?
    public var backupLastRunTime: APIDate?
    public var archiveTargetType: Open<VMPPArchiveTargetType>?
    public var archiveTargetConfig: [String: String]?
    public var archiveFrequency: Open<VMPPArchiveFrequency>?
    public var archiveSchedule: [String: String]?
    public var isArchiveRunning: Bool?
    public var archiveLastRunTime: APIDate?
    public var vms: [Ref<VM>]?
    public var isAlarmEnabled: Bool?
    public var alarmConfig: [String: String]?
    public var recentAlerts: [String]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VMPP")
        uuid = try record.optional("uuid")
        nameLabel = try record.optional("name_label")
        nameDescription = try record.optional("name_description")
        isPolicyEnabled = try record.optional("is_policy_enabled")
        backupType = try record.optional("backup_type")
        backupRetentionValue = try record.optional("backup_retention_value")
        backupFrequency = try record.optional("backup_frequency")
        backupSchedule = try record.optional("backup_schedule")
        isBackupRunning = try record.optional("is_backup_running")
        backupLastRunTime = try record.optional("backup_last_run_time")
        archiveTargetType = try record.optional("archive_target_type")
        archiveTargetConfig = try record.optional("archive_target_config")
        archiveFrequency = try record.optional("archive_frequency")
        archiveSchedule = try record.optional("archive_schedule")
        isArchiveRunning = try record.optional("is_archive_running")
        archiveLastRunTime = try record.optional("archive_last_run_time")
        vms = try record.optional("VMs")
        isAlarmEnabled = try record.optional("is_alarm_enabled")
        alarmConfig = try record.optional("alarm_config")
        recentAlerts = try record.optional("recent_alerts")
    }
}

extension VMPP: RecordClass { public typealias Record = VMPPRecord }

/// What `VMPP.create` takes. The server has its own value for a member that is nil.
public struct VMPPCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var isPolicyEnabled: Bool?
    public var backupType: VMPPBackupType?
    public var backupRetentionValue: Int64?
    public var backupFrequency: VMPPBackupFrequency?
    public var backupSchedule: [String: String]?
    public var archiveTargetType: VMPPArchiveTargetType?
    public var archiveTargetConfig: [String: String]?
    public var archiveFrequency: VMPPArchiveFrequency?
    public var archiveSchedule: [String: String]?
    public var isAlarmEnabled: Bool?
    public var alarmConfig: [String: String]?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        isPolicyEnabled: Bool? = nil,
        backupType: VMPPBackupType? = nil,
        backupRetentionValue: Int64? = nil,
        backupFrequency: VMPPBackupFrequency? = nil,
        backupSchedule: [String: String]? = nil,
        archiveTargetType: VMPPArchiveTargetType? = nil,
        archiveTargetConfig: [String: String]? = nil,
        archiveFrequency: VMPPArchiveFrequency? = nil,
        archiveSchedule: [String: String]? = nil,
        isAlarmEnabled: Bool? = nil,
        alarmConfig: [String: String]? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.isPolicyEnabled = isPolicyEnabled
        self.backupType = backupType
        self.backupRetentionValue = backupRetentionValue
        self.backupFrequency = backupFrequency
        self.backupSchedule = backupSchedule
        self.archiveTargetType = archiveTargetType
        self.archiveTargetConfig = archiveTargetConfig
        self.archiveFrequency = archiveFrequency
        self.archiveSchedule = archiveSchedule
        self.isAlarmEnabled = isAlarmEnabled
        self.alarmConfig = alarmConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("is_policy_enabled", isPolicyEnabled)
        record.putIfGiven("backup_type", backupType)
        record.putIfGiven("backup_retention_value", backupRetentionValue)
        record.putIfGiven("backup_frequency", backupFrequency)
        record.putIfGiven("backup_schedule", backupSchedule)
        record.putIfGiven("archive_target_type", archiveTargetType)
        record.putIfGiven("archive_target_config", archiveTargetConfig)
        record.putIfGiven("archive_frequency", archiveFrequency)
        record.putIfGiven("archive_schedule", archiveSchedule)
        record.putIfGiven("is_alarm_enabled", isAlarmEnabled)
        record.putIfGiven("alarm_config", alarmConfig)
        return record.wire
    }
}

extension VMPP: CreatableClass { public typealias Creation = VMPPCreation }

/// The messages of the class `VMPP`.
public struct VMPPCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VMPP
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VMPP.protect_now`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func protectNow(_ vmpp: Ref<VMPP>) async throws -> String {
        try await self.caller.invoke("VMPP.protect_now", [vmpp.wire])
    }

    /// Calls `VMPP.archive_now`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: vm-power-admin.
    public func archiveNow(snapshot: Ref<VM>) async throws -> String {
        try await self.caller.invoke("VMPP.archive_now", [snapshot.wire])
    }

    /// Calls `VMPP.create_alert`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: local-root-only.
    public func createAlert(_ vmpp: Ref<VMPP>, name: String, priority: Int64, body: String, data: String) async throws {
        try await self.caller.perform("VMPP.create_alert", [vmpp.wire, name.wire, priority.wire, body.wire, data.wire])
    }

    /// Calls `VMPP.get_alerts`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func getAlerts(_ vmpp: Ref<VMPP>, hoursFromNow: Int64) async throws -> [String] {
        try await self.caller.invoke("VMPP.get_alerts", [vmpp.wire, hoursFromNow.wire])
    }

    /// Calls `VMPP.set_backup_retention_value`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setBackupRetentionValue(_ vmpp: Ref<VMPP>, value: Int64) async throws {
        try await self.caller.perform("VMPP.set_backup_retention_value", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_is_backup_running`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: local-root-only.
    public func setIsBackupRunning(_ vmpp: Ref<VMPP>, value: Bool) async throws {
        try await self.caller.perform("VMPP.set_is_backup_running", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_is_archive_running`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: local-root-only.
    public func setIsArchiveRunning(_ vmpp: Ref<VMPP>, value: Bool) async throws {
        try await self.caller.perform("VMPP.set_is_archive_running", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_backup_frequency`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setBackupFrequency(_ vmpp: Ref<VMPP>, value: VMPPBackupFrequency) async throws {
        try await self.caller.perform("VMPP.set_backup_frequency", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_backup_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setBackupSchedule(_ vmpp: Ref<VMPP>, value: [String: String]) async throws {
        try await self.caller.perform("VMPP.set_backup_schedule", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_archive_frequency`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setArchiveFrequency(_ vmpp: Ref<VMPP>, value: VMPPArchiveFrequency) async throws {
        try await self.caller.perform("VMPP.set_archive_frequency", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_archive_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setArchiveSchedule(_ vmpp: Ref<VMPP>, value: [String: String]) async throws {
        try await self.caller.perform("VMPP.set_archive_schedule", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_archive_target_type`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setArchiveTargetType(_ vmpp: Ref<VMPP>, value: VMPPArchiveTargetType) async throws {
        try await self.caller.perform("VMPP.set_archive_target_type", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_archive_target_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setArchiveTargetConfig(_ vmpp: Ref<VMPP>, value: [String: String]) async throws {
        try await self.caller.perform("VMPP.set_archive_target_config", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_is_alarm_enabled`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setIsAlarmEnabled(_ vmpp: Ref<VMPP>, value: Bool) async throws {
        try await self.caller.perform("VMPP.set_is_alarm_enabled", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_alarm_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func setAlarmConfig(_ vmpp: Ref<VMPP>, value: [String: String]) async throws {
        try await self.caller.perform("VMPP.set_alarm_config", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.add_to_backup_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func addToBackupSchedule(_ vmpp: Ref<VMPP>, key: String, value: String) async throws {
        try await self.caller.perform("VMPP.add_to_backup_schedule", [vmpp.wire, key.wire, value.wire])
    }

    /// Calls `VMPP.add_to_archive_target_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func addToArchiveTargetConfig(_ vmpp: Ref<VMPP>, key: String, value: String) async throws {
        try await self.caller.perform("VMPP.add_to_archive_target_config", [vmpp.wire, key.wire, value.wire])
    }

    /// Calls `VMPP.add_to_archive_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func addToArchiveSchedule(_ vmpp: Ref<VMPP>, key: String, value: String) async throws {
        try await self.caller.perform("VMPP.add_to_archive_schedule", [vmpp.wire, key.wire, value.wire])
    }

    /// Calls `VMPP.add_to_alarm_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func addToAlarmConfig(_ vmpp: Ref<VMPP>, key: String, value: String) async throws {
        try await self.caller.perform("VMPP.add_to_alarm_config", [vmpp.wire, key.wire, value.wire])
    }

    /// Calls `VMPP.remove_from_backup_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func removeFromBackupSchedule(_ vmpp: Ref<VMPP>, key: String) async throws {
        try await self.caller.perform("VMPP.remove_from_backup_schedule", [vmpp.wire, key.wire])
    }

    /// Calls `VMPP.remove_from_archive_target_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func removeFromArchiveTargetConfig(_ vmpp: Ref<VMPP>, key: String) async throws {
        try await self.caller.perform("VMPP.remove_from_archive_target_config", [vmpp.wire, key.wire])
    }

    /// Calls `VMPP.remove_from_archive_schedule`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func removeFromArchiveSchedule(_ vmpp: Ref<VMPP>, key: String) async throws {
        try await self.caller.perform("VMPP.remove_from_archive_schedule", [vmpp.wire, key.wire])
    }

    /// Calls `VMPP.remove_from_alarm_config`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: pool-operator.
    public func removeFromAlarmConfig(_ vmpp: Ref<VMPP>, key: String) async throws {
        try await self.caller.perform("VMPP.remove_from_alarm_config", [vmpp.wire, key.wire])
    }

    /// Calls `VMPP.set_backup_last_run_time`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: local-root-only.
    public func setBackupLastRunTime(_ vmpp: Ref<VMPP>, value: APIDate) async throws {
        try await self.caller.perform("VMPP.set_backup_last_run_time", [vmpp.wire, value.wire])
    }

    /// Calls `VMPP.set_archive_last_run_time`.
    ///
    /// Since cowley, deprecated in clearwater, removed in clearwater. Role: local-root-only.
    public func setArchiveLastRunTime(_ vmpp: Ref<VMPP>, value: APIDate) async throws {
        try await self.caller.perform("VMPP.set_archive_last_run_time", [vmpp.wire, value.wire])
    }
}
