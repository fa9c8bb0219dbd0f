// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Feature`.
public struct FeatureRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var enabled: Bool
    public var experimental: Bool
    public var version: String
    public var host: Ref<Host>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Feature")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        enabled = try record.field("enabled")
        experimental = try record.field("experimental")
        version = try record.field("version")
        host = try record.field("host")
    }
}

extension Feature: RecordClass { public typealias Record = FeatureRecord }

/// The messages of the class `Feature`.
public struct FeatureCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = Feature
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
