// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VMSS`.
public struct VMSSRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var enabled: Bool
    public var type: Open<VMSSType>
    public var retainedSnapshots: Int64
    public var frequency: Open<VMSSFrequency>
    public var schedule: [String: String]
    public var lastRunTime: APIDate
    public var vms: [Ref<VM>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VMSS")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        enabled = try record.field("enabled")
        type = try record.field("type")
        retainedSnapshots = try record.field("retained_snapshots")
        frequency = try record.field("frequency")
        schedule = try record.field("schedule")
        lastRunTime = try record.field("last_run_time")
        vms = try record.field("VMs")
    }
}

extension VMSS: RecordClass { public typealias Record = VMSSRecord }

/// What `VMSS.create` takes. The server has its own value for a member that is nil.
public struct VMSSCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var enabled: Bool?
    public var type: VMSSType
    public var retainedSnapshots: Int64?
    public var frequency: VMSSFrequency
    public var schedule: [String: String]?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        enabled: Bool? = nil,
        type: VMSSType,
        retainedSnapshots: Int64? = nil,
        frequency: VMSSFrequency,
        schedule: [String: String]? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.enabled = enabled
        self.type = type
        self.retainedSnapshots = retainedSnapshots
        self.frequency = frequency
        self.schedule = schedule
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("enabled", enabled)
        record.put("type", type)
        record.putIfGiven("retained_snapshots", retainedSnapshots)
        record.put("frequency", frequency)
        record.putIfGiven("schedule", schedule)
        return record.wire
    }
}

extension VMSS: CreatableClass { public typealias Creation = VMSSCreation }

/// The messages of the class `VMSS`.
public struct VMSSCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VMSS
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VMSS.snapshot_now`.
    ///
    /// Since falcon. Role: pool-operator.
    public func snapshotNow(_ vmss: Ref<VMSS>) async throws -> String {
        try await self.caller.invoke("VMSS.snapshot_now", [vmss.wire])
    }

    /// Calls `VMSS.set_retained_snapshots`.
    ///
    /// Since falcon. Role: pool-operator.
    public func setRetainedSnapshots(_ vmss: Ref<VMSS>, value: Int64) async throws {
        try await self.caller.perform("VMSS.set_retained_snapshots", [vmss.wire, value.wire])
    }

    /// Calls `VMSS.set_frequency`.
    ///
    /// Since falcon. Role: pool-operator.
    public func setFrequency(_ vmss: Ref<VMSS>, value: VMSSFrequency) async throws {
        try await self.caller.perform("VMSS.set_frequency", [vmss.wire, value.wire])
    }

    /// Calls `VMSS.set_schedule`.
    ///
    /// Since falcon. Role: pool-operator.
    public func setSchedule(_ vmss: Ref<VMSS>, value: [String: String]) async throws {
        try await self.caller.perform("VMSS.set_schedule", [vmss.wire, value.wire])
    }

    /// Calls `VMSS.add_to_schedule`.
    ///
    /// Since falcon. Role: pool-operator.
    public func addToSchedule(_ vmss: Ref<VMSS>, key: String, value: String) async throws {
        try await self.caller.perform("VMSS.add_to_schedule", [vmss.wire, key.wire, value.wire])
    }

    /// Calls `VMSS.remove_from_schedule`.
    ///
    /// Since falcon. Role: pool-operator.
    public func removeFromSchedule(_ vmss: Ref<VMSS>, key: String) async throws {
        try await self.caller.perform("VMSS.remove_from_schedule", [vmss.wire, key.wire])
    }

    /// Calls `VMSS.set_last_run_time`.
    ///
    /// Since falcon. Role: local-root-only.
    public func setLastRunTime(_ vmss: Ref<VMSS>, value: APIDate) async throws {
        try await self.caller.perform("VMSS.set_last_run_time", [vmss.wire, value.wire])
    }

    /// Calls `VMSS.set_type`.
    ///
    /// Since falcon. Role: pool-operator.
    public func setType(_ vmss: Ref<VMSS>, value: VMSSType) async throws {
        try await self.caller.perform("VMSS.set_type", [vmss.wire, value.wire])
    }
}
