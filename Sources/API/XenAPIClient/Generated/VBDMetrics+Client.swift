// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VBD_metrics`.
public struct VBDMetricsRecord: XenRecord {
    public var uuid: String
    public var ioReadKbs: Double?
    public var ioWriteKbs: Double?
    public var lastUpdated: APIDate?
    public var otherConfig: [String: String]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VBD_metrics")
        uuid = try record.field("uuid")
        ioReadKbs = try record.optional("io_read_kbs")
        ioWriteKbs = try record.optional("io_write_kbs")
        lastUpdated = try record.optional("last_updated")
        otherConfig = try record.optional("other_config")
    }
}

extension VBDMetrics: RecordClass { public typealias Record = VBDMetricsRecord }

/// The messages of the class `VBD_metrics`.
public struct VBDMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = VBDMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
