// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `data_source`.
public struct DataSourceRecord: XenRecord {
    public var nameLabel: String
    public var nameDescription: String
    public var enabled: Bool
    public var standard: Bool
    public var units: String
    public var min: Double
    public var max: Double
    public var value: Double

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "data_source")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        enabled = try record.field("enabled")
        standard = try record.field("standard")
        units = try record.field("units")
        min = try record.field("min")
        max = try record.field("max")
        value = try record.field("value")
    }
}

extension DataSource: RecordClass { public typealias Record = DataSourceRecord }

/// The messages of the class `data_source`.
public struct DataSourceCalls: ClassCalls {
    public typealias Class = DataSource
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
