// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PIF_metrics`.
public struct PIFMetricsRecord: XenRecord {
    public var uuid: String
    public var ioReadKbs: Double?
    public var ioWriteKbs: Double?
    public var carrier: Bool
    public var vendorID: String
    public var vendorName: String
    public var deviceID: String
    public var deviceName: String
    public var speed: Int64
    public var duplex: Bool
    public var pciBusPath: String
    public var lastUpdated: APIDate
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PIF_metrics")
        uuid = try record.field("uuid")
        ioReadKbs = try record.optional("io_read_kbs")
        ioWriteKbs = try record.optional("io_write_kbs")
        carrier = try record.field("carrier")
        vendorID = try record.field("vendor_id")
        vendorName = try record.field("vendor_name")
        deviceID = try record.field("device_id")
        deviceName = try record.field("device_name")
        speed = try record.field("speed")
        duplex = try record.field("duplex")
        pciBusPath = try record.field("pci_bus_path")
        lastUpdated = try record.field("last_updated")
        otherConfig = try record.field("other_config")
    }
}

extension PIFMetrics: RecordClass { public typealias Record = PIFMetricsRecord }

/// The messages of the class `PIF_metrics`.
public struct PIFMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = PIFMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
