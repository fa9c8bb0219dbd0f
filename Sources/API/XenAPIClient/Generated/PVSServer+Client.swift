// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PVS_server`.
public struct PVSServerRecord: XenRecord {
    public var uuid: String
    public var addresses: [String]
    public var firstPort: Int64
    public var lastPort: Int64
    public var site: Ref<PVSSite>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PVS_server")
        uuid = try record.field("uuid")
        addresses = try record.field("addresses")
        firstPort = try record.field("first_port")
        lastPort = try record.field("last_port")
        site = try record.field("site")
    }
}

extension PVSServer: RecordClass { public typealias Record = PVSServerRecord }

/// The messages of the class `PVS_server`.
public struct PVSServerCalls: ObjectCalls, ListingCalls {
    public typealias Class = PVSServer
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PVS_server.introduce`.
    ///
    /// Since ely. Role: pool-operator.
    public func introduce(addresses: [String], firstPort: Int64, lastPort: Int64, site: Ref<PVSSite>) async throws -> Ref<PVSServer> {
        try await self.caller.invoke("PVS_server.introduce", [addresses.wire, firstPort.wire, lastPort.wire, site.wire])
    }

    /// Starts `PVS_server.introduce` and answers with its task.
    public func asyncIntroduce(addresses: [String], firstPort: Int64, lastPort: Int64, site: Ref<PVSSite>) async throws -> XenTaskHandle<Ref<PVSServer>> {
        try await self.caller.launch("PVS_server.introduce", [addresses.wire, firstPort.wire, lastPort.wire, site.wire])
    }

    /// Calls `PVS_server.forget`.
    ///
    /// Since ely. Role: pool-operator.
    public func forget(_ pvsServer: Ref<PVSServer>) async throws {
        try await self.caller.perform("PVS_server.forget", [pvsServer.wire])
    }

    /// Starts `PVS_server.forget` and answers with its task.
    public func asyncForget(_ pvsServer: Ref<PVSServer>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PVS_server.forget", [pvsServer.wire])
    }
}
