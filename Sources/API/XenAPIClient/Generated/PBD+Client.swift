// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PBD`. A host's connection to a repository.
public struct PBDRecord: XenRecord {
    /// Identifies the connection.
    public var uuid: String
    /// The host.
    public var host: Ref<Host>
    /// The repository.
    public var sr: Ref<SR>
    /// How the host reaches it: `location` for folders.
    public var deviceConfig: [String: String]
    /// Whether it is connected now.
    public var currentlyAttached: Bool
    /// For notes.
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PBD")
        uuid = try record.field("uuid")
        host = try record.field("host")
        sr = try record.field("SR")
        deviceConfig = try record.field("device_config")
        currentlyAttached = try record.field("currently_attached")
        otherConfig = try record.field("other_config")
    }
}

extension PBD: RecordClass { public typealias Record = PBDRecord }

/// What `PBD.create` takes. The server has its own value for a member that is nil.
public struct PBDCreation: WireWritable {
    /// The host.
    public var host: Ref<Host>
    /// The repository.
    public var sr: Ref<SR>
    /// How the host reaches it: `location` for folders.
    public var deviceConfig: [String: String]
    /// For notes.
    public var otherConfig: [String: String]?

    public init(
        host: Ref<Host>,
        sr: Ref<SR>,
        deviceConfig: [String: String] = [:],
        otherConfig: [String: String]? = nil
    ) {
        self.host = host
        self.sr = sr
        self.deviceConfig = deviceConfig
        self.otherConfig = otherConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.put("host", host)
        record.put("SR", sr)
        record.put("device_config", deviceConfig)
        record.putIfGiven("other_config", otherConfig)
        return record.wire
    }
}

extension PBD: CreatableClass { public typealias Creation = PBDCreation }

/// The messages of the class `PBD`.
public struct PBDCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = PBD
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Connects.
    ///
    /// Since rio. Role: pool-operator. Errors: `SR_UNKNOWN_DRIVER`.
    public func plug(_ pbd: Ref<PBD>) async throws {
        try await self.caller.perform("PBD.plug", [pbd.wire])
    }

    /// Starts `PBD.plug` and answers with its task.
    public func asyncPlug(_ pbd: Ref<PBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PBD.plug", [pbd.wire])
    }

    /// Disconnects; no disk of the repository may be in use.
    ///
    /// Since rio. Role: pool-operator.
    public func unplug(_ pbd: Ref<PBD>) async throws {
        try await self.caller.perform("PBD.unplug", [pbd.wire])
    }

    /// Starts `PBD.unplug` and answers with its task.
    public func asyncUnplug(_ pbd: Ref<PBD>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PBD.unplug", [pbd.wire])
    }

    /// Sets where and how the host reaches the SR; the place stays while it is plugged.
    ///
    /// Since miami. Role: pool-operator.
    public func setDeviceConfig(_ pbd: Ref<PBD>, value: [String: String]) async throws {
        try await self.caller.perform("PBD.set_device_config", [pbd.wire, value.wire])
    }

    /// Starts `PBD.set_device_config` and answers with its task.
    public func asyncSetDeviceConfig(_ pbd: Ref<PBD>, value: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PBD.set_device_config", [pbd.wire, value.wire])
    }
}
