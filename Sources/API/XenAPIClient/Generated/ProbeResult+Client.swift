// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `probe_result`.
public struct ProbeResultRecord: XenRecord {
    public var configuration: [String: String]
    public var complete: Bool
    public var sr: SRStatRecord?
    public var extraInfo: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "probe_result")
        configuration = try record.field("configuration")
        complete = try record.field("complete")
        sr = try record.optional("sr")
        extraInfo = try record.field("extra_info")
    }
}

extension ProbeResult: RecordClass { public typealias Record = ProbeResultRecord }

/// The messages of the class `probe_result`.
public struct ProbeResultCalls: ClassCalls {
    public typealias Class = ProbeResult
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
