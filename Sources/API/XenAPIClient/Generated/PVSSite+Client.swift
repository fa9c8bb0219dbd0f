// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PVS_site`.
public struct PVSSiteRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var pvsUUID: String
    public var cacheStorage: [Ref<PVSCacheStorage>]
    public var servers: [Ref<PVSServer>]
    public var proxies: [Ref<PVSProxy>]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PVS_site")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        pvsUUID = try record.field("PVS_uuid")
        cacheStorage = try record.field("cache_storage")
        servers = try record.field("servers")
        proxies = try record.field("proxies")
    }
}

extension PVSSite: RecordClass { public typealias Record = PVSSiteRecord }

/// The messages of the class `PVS_site`.
public struct PVSSiteCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = PVSSite
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PVS_site.introduce`.
    ///
    /// Since ely. Role: pool-operator.
    public func introduce(nameLabel: String, nameDescription: String, pvsUUID: String) async throws -> Ref<PVSSite> {
        try await self.caller.invoke("PVS_site.introduce", [nameLabel.wire, nameDescription.wire, pvsUUID.wire])
    }

    /// Starts `PVS_site.introduce` and answers with its task.
    public func asyncIntroduce(nameLabel: String, nameDescription: String, pvsUUID: String) async throws -> XenTaskHandle<Ref<PVSSite>> {
        try await self.caller.launch("PVS_site.introduce", [nameLabel.wire, nameDescription.wire, pvsUUID.wire])
    }

    /// Calls `PVS_site.forget`.
    ///
    /// Since ely. Role: pool-operator. Errors: `PVS_SITE_CONTAINS_RUNNING_PROXIES`, `PVS_SITE_CONTAINS_SERVERS`.
    public func forget(_ pvsSite: Ref<PVSSite>) async throws {
        try await self.caller.perform("PVS_site.forget", [pvsSite.wire])
    }

    /// Starts `PVS_site.forget` and answers with its task.
    public func asyncForget(_ pvsSite: Ref<PVSSite>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PVS_site.forget", [pvsSite.wire])
    }

    /// Calls `PVS_site.set_PVS_uuid`.
    ///
    /// Since ely. Role: pool-operator.
    public func setPVSUUID(_ pvsSite: Ref<PVSSite>, value: String) async throws {
        try await self.caller.perform("PVS_site.set_PVS_uuid", [pvsSite.wire, value.wire])
    }

    /// Starts `PVS_site.set_PVS_uuid` and answers with its task.
    public func asyncSetPVSUUID(_ pvsSite: Ref<PVSSite>, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PVS_site.set_PVS_uuid", [pvsSite.wire, value.wire])
    }
}
