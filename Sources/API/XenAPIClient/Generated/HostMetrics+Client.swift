// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `host_metrics`. What is measured of a host.
public struct HostMetricsRecord: XenRecord {
    /// Identifies the object.
    public var uuid: String
    /// The host's memory, bytes.
    public var memoryTotal: Int64
    /// What of it is free, bytes.
    public var memoryFree: Int64?
    /// Whether the host was there when it was last looked.
    public var live: Bool
    /// When it was measured.
    public var lastUpdated: APIDate
    /// For notes.
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "host_metrics")
        uuid = try record.field("uuid")
        memoryTotal = try record.field("memory_total")
        memoryFree = try record.optional("memory_free")
        live = try record.field("live")
        lastUpdated = try record.field("last_updated")
        otherConfig = try record.field("other_config")
    }
}

extension HostMetrics: RecordClass { public typealias Record = HostMetricsRecord }

/// The messages of the class `host_metrics`.
public struct HostMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = HostMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
