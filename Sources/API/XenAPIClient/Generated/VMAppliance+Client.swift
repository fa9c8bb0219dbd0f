// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VM_appliance`.
public struct VMApplianceRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var allowedOperations: [Open<VMApplianceOperation>]
    public var currentOperations: [String: Open<VMApplianceOperation>]
    public var vms: [Ref<VM>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VM_appliance")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vms = try record.field("VMs")
    }
}

extension VMAppliance: RecordClass { public typealias Record = VMApplianceRecord }

/// What `VM_appliance.create` takes. The server has its own value for a member that is nil.
public struct VMApplianceCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        return record.wire
    }
}

extension VMAppliance: CreatableClass { public typealias Creation = VMApplianceCreation }

/// The messages of the class `VM_appliance`.
public struct VMApplianceCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = VMAppliance
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VM_appliance.start`.
    ///
    /// Since boston. Role: pool-operator. Errors: `OPERATION_PARTIALLY_FAILED`.
    public func start(_ vmAppliance: Ref<VMAppliance>, paused: Bool) async throws {
        try await self.caller.perform("VM_appliance.start", [vmAppliance.wire, paused.wire])
    }

    /// Starts `VM_appliance.start` and answers with its task.
    public func asyncStart(_ vmAppliance: Ref<VMAppliance>, paused: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.start", [vmAppliance.wire, paused.wire])
    }

    /// Calls `VM_appliance.clean_shutdown`.
    ///
    /// Since boston. Role: pool-operator. Errors: `OPERATION_PARTIALLY_FAILED`.
    public func cleanShutdown(_ vmAppliance: Ref<VMAppliance>) async throws {
        try await self.caller.perform("VM_appliance.clean_shutdown", [vmAppliance.wire])
    }

    /// Starts `VM_appliance.clean_shutdown` and answers with its task.
    public func asyncCleanShutdown(_ vmAppliance: Ref<VMAppliance>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.clean_shutdown", [vmAppliance.wire])
    }

    /// Calls `VM_appliance.hard_shutdown`.
    ///
    /// Since boston. Role: pool-operator. Errors: `OPERATION_PARTIALLY_FAILED`.
    public func hardShutdown(_ vmAppliance: Ref<VMAppliance>) async throws {
        try await self.caller.perform("VM_appliance.hard_shutdown", [vmAppliance.wire])
    }

    /// Starts `VM_appliance.hard_shutdown` and answers with its task.
    public func asyncHardShutdown(_ vmAppliance: Ref<VMAppliance>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.hard_shutdown", [vmAppliance.wire])
    }

    /// Calls `VM_appliance.shutdown`.
    ///
    /// Since boston. Role: pool-operator. Errors: `OPERATION_PARTIALLY_FAILED`.
    public func shutdown(_ vmAppliance: Ref<VMAppliance>) async throws {
        try await self.caller.perform("VM_appliance.shutdown", [vmAppliance.wire])
    }

    /// Starts `VM_appliance.shutdown` and answers with its task.
    public func asyncShutdown(_ vmAppliance: Ref<VMAppliance>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.shutdown", [vmAppliance.wire])
    }

    /// Calls `VM_appliance.assert_can_be_recovered`.
    ///
    /// Since boston. Role: read-only. Errors: `VM_REQUIRES_SR`.
    public func assertCanBeRecovered(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>) async throws {
        try await self.caller.perform("VM_appliance.assert_can_be_recovered", [vmAppliance.wire, sessionTo.wire])
    }

    /// Starts `VM_appliance.assert_can_be_recovered` and answers with its task.
    public func asyncAssertCanBeRecovered(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.assert_can_be_recovered", [vmAppliance.wire, sessionTo.wire])
    }

    /// Calls `VM_appliance.get_SRs_required_for_recovery`.
    ///
    /// Since creedence. Role: read-only.
    public func getSRsRequiredForRecovery(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>) async throws -> [Ref<SR>] {
        try await self.caller.invoke("VM_appliance.get_SRs_required_for_recovery", [vmAppliance.wire, sessionTo.wire])
    }

    /// Starts `VM_appliance.get_SRs_required_for_recovery` and answers with its task.
    public func asyncGetSRsRequiredForRecovery(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>) async throws -> XenTaskHandle<[Ref<SR>]> {
        try await self.caller.launch("VM_appliance.get_SRs_required_for_recovery", [vmAppliance.wire, sessionTo.wire])
    }

    /// Calls `VM_appliance.recover`.
    ///
    /// Since boston. Role: read-only. Errors: `VM_REQUIRES_SR`.
    public func recover(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>, force: Bool) async throws {
        try await self.caller.perform("VM_appliance.recover", [vmAppliance.wire, sessionTo.wire, force.wire])
    }

    /// Starts `VM_appliance.recover` and answers with its task.
    public func asyncRecover(_ vmAppliance: Ref<VMAppliance>, sessionTo: Ref<Session>, force: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VM_appliance.recover", [vmAppliance.wire, sessionTo.wire, force.wire])
    }
}
