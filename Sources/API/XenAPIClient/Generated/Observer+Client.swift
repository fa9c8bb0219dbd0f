// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Observer`.
public struct ObserverRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var hosts: [Ref<Host>]
    public var attributes: [String: String]
    public var endpoints: [String]
    public var components: [String]
    public var enabled: Bool

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Observer")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        hosts = try record.field("hosts")
        attributes = try record.field("attributes")
        endpoints = try record.field("endpoints")
        components = try record.field("components")
        enabled = try record.field("enabled")
    }
}

extension Observer: RecordClass { public typealias Record = ObserverRecord }

/// What `Observer.create` takes. The server has its own value for a member that is nil.
public struct ObserverCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var hosts: [Ref<Host>]?
    public var attributes: [String: String]?
    public var endpoints: [String]?
    public var components: [String]?
    public var enabled: Bool?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        hosts: [Ref<Host>]? = nil,
        attributes: [String: String]? = nil,
        endpoints: [String]? = nil,
        components: [String]? = nil,
        enabled: Bool? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.hosts = hosts
        self.attributes = attributes
        self.endpoints = endpoints
        self.components = components
        self.enabled = enabled
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("hosts", hosts)
        record.putIfGiven("attributes", attributes)
        record.putIfGiven("endpoints", endpoints)
        record.putIfGiven("components", components)
        record.putIfGiven("enabled", enabled)
        return record.wire
    }
}

extension Observer: CreatableClass { public typealias Creation = ObserverCreation }

/// The messages of the class `Observer`.
public struct ObserverCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = Observer
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Observer.register`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func register(_ observer: Ref<Observer>, host: Ref<Host>) async throws {
        try await self.caller.perform("Observer.register", [observer.wire, host.wire])
    }

    /// Starts `Observer.register` and answers with its task.
    public func asyncRegister(_ observer: Ref<Observer>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.register", [observer.wire, host.wire])
    }

    /// Calls `Observer.unregister`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func unregister(_ observer: Ref<Observer>, host: Ref<Host>) async throws {
        try await self.caller.perform("Observer.unregister", [observer.wire, host.wire])
    }

    /// Starts `Observer.unregister` and answers with its task.
    public func asyncUnregister(_ observer: Ref<Observer>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.unregister", [observer.wire, host.wire])
    }

    /// Calls `Observer.set_hosts`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func setHosts(_ observer: Ref<Observer>, value: [Ref<Host>]) async throws {
        try await self.caller.perform("Observer.set_hosts", [observer.wire, value.wire])
    }

    /// Starts `Observer.set_hosts` and answers with its task.
    public func asyncSetHosts(_ observer: Ref<Observer>, value: [Ref<Host>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.set_hosts", [observer.wire, value.wire])
    }

    /// Calls `Observer.set_enabled`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func setEnabled(_ observer: Ref<Observer>, value: Bool) async throws {
        try await self.caller.perform("Observer.set_enabled", [observer.wire, value.wire])
    }

    /// Starts `Observer.set_enabled` and answers with its task.
    public func asyncSetEnabled(_ observer: Ref<Observer>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.set_enabled", [observer.wire, value.wire])
    }

    /// Calls `Observer.set_attributes`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func setAttributes(_ observer: Ref<Observer>, value: [String: String]) async throws {
        try await self.caller.perform("Observer.set_attributes", [observer.wire, value.wire])
    }

    /// Starts `Observer.set_attributes` and answers with its task.
    public func asyncSetAttributes(_ observer: Ref<Observer>, value: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.set_attributes", [observer.wire, value.wire])
    }

    /// Calls `Observer.set_endpoints`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func setEndpoints(_ observer: Ref<Observer>, value: [String]) async throws {
        try await self.caller.perform("Observer.set_endpoints", [observer.wire, value.wire])
    }

    /// Starts `Observer.set_endpoints` and answers with its task.
    public func asyncSetEndpoints(_ observer: Ref<Observer>, value: [String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.set_endpoints", [observer.wire, value.wire])
    }

    /// Calls `Observer.set_components`.
    ///
    /// Since 23.14.0. Role: pool-admin.
    public func setComponents(_ observer: Ref<Observer>, value: [String]) async throws {
        try await self.caller.perform("Observer.set_components", [observer.wire, value.wire])
    }

    /// Starts `Observer.set_components` and answers with its task.
    public func asyncSetComponents(_ observer: Ref<Observer>, value: [String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Observer.set_components", [observer.wire, value.wire])
    }
}
