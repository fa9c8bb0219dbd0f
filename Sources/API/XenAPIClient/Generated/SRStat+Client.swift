// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `sr_stat`.
public struct SRStatRecord: XenRecord {
    public var uuid: String?
    public var nameLabel: String
    public var nameDescription: String
    public var freeSpace: Int64
    public var totalSpace: Int64
    public var clustered: Bool
    public var health: Open<SRHealth>

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "sr_stat")
        uuid = try record.optional("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        freeSpace = try record.field("free_space")
        totalSpace = try record.field("total_space")
        clustered = try record.field("clustered")
        health = try record.field("health")
    }
}

extension SRStat: RecordClass { public typealias Record = SRStatRecord }

/// The messages of the class `sr_stat`.
public struct SRStatCalls: ClassCalls {
    public typealias Class = SRStat
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
