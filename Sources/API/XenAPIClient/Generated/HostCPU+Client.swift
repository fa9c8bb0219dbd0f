// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `host_cpu`.
public struct HostCPURecord: XenRecord {
    public var uuid: String
    public var host: Ref<Host>
    public var number: Int64
    public var vendor: String
    public var speed: Int64
    public var modelname: String
    public var family: Int64
    public var model: Int64
    public var stepping: String
    public var flags: String
    public var features: String
    public var utilisation: Double
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "host_cpu")
        uuid = try record.field("uuid")
        host = try record.field("host")
        number = try record.field("number")
        vendor = try record.field("vendor")
        speed = try record.field("speed")
        modelname = try record.field("modelname")
        family = try record.field("family")
        model = try record.field("model")
        stepping = try record.field("stepping")
        flags = try record.field("flags")
        features = try record.field("features")
        utilisation = try record.field("utilisation")
        otherConfig = try record.field("other_config")
    }
}

extension HostCPU: RecordClass { public typealias Record = HostCPURecord }

/// The messages of the class `host_cpu`.
public struct HostCPUCalls: ObjectCalls, ListingCalls {
    public typealias Class = HostCPU
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
