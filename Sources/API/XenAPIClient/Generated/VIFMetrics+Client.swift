// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VIF_metrics`.
public struct VIFMetricsRecord: XenRecord {
    public var uuid: String
    public var ioReadKbs: Double?
    public var ioWriteKbs: Double?
    public var lastUpdated: APIDate
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VIF_metrics")
        uuid = try record.field("uuid")
        ioReadKbs = try record.optional("io_read_kbs")
        ioWriteKbs = try record.optional("io_write_kbs")
        lastUpdated = try record.field("last_updated")
        otherConfig = try record.field("other_config")
    }
}

extension VIFMetrics: RecordClass { public typealias Record = VIFMetricsRecord }

/// The messages of the class `VIF_metrics`.
public struct VIFMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = VIFMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
