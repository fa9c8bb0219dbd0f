// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `host_crashdump`.
public struct HostCrashdumpRecord: XenRecord {
    public var uuid: String
    public var host: Ref<Host>
    public var timestamp: APIDate
    public var size: Int64
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "host_crashdump")
        uuid = try record.field("uuid")
        host = try record.field("host")
        timestamp = try record.field("timestamp")
        size = try record.field("size")
        otherConfig = try record.field("other_config")
    }
}

extension HostCrashdump: RecordClass { public typealias Record = HostCrashdumpRecord }

/// The messages of the class `host_crashdump`.
public struct HostCrashdumpCalls: ObjectCalls, ListingCalls {
    public typealias Class = HostCrashdump
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `host_crashdump.destroy`.
    ///
    /// Since rio. Role: pool-operator.
    public func destroy(_ hostCrashdump: Ref<HostCrashdump>) async throws {
        try await self.caller.perform("host_crashdump.destroy", [hostCrashdump.wire])
    }

    /// Starts `host_crashdump.destroy` and answers with its task.
    public func asyncDestroy(_ hostCrashdump: Ref<HostCrashdump>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host_crashdump.destroy", [hostCrashdump.wire])
    }

    /// Calls `host_crashdump.upload`.
    ///
    /// Since rio. Role: pool-operator.
    public func upload(_ hostCrashdump: Ref<HostCrashdump>, url: String, options: [String: String]) async throws {
        try await self.caller.perform("host_crashdump.upload", [hostCrashdump.wire, url.wire, options.wire])
    }

    /// Starts `host_crashdump.upload` and answers with its task.
    public func asyncUpload(_ hostCrashdump: Ref<HostCrashdump>, url: String, options: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("host_crashdump.upload", [hostCrashdump.wire, url.wire, options.wire])
    }
}
