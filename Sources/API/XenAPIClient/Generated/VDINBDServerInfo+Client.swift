// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `vdi_nbd_server_info`.
public struct VDINBDServerInfoRecord: XenRecord {
    public var exportname: String
    public var address: String
    public var port: Int64
    public var cert: String
    public var subject: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "vdi_nbd_server_info")
        exportname = try record.field("exportname")
        address = try record.field("address")
        port = try record.field("port")
        cert = try record.field("cert")
        subject = try record.field("subject")
    }
}

extension VDINBDServerInfo: RecordClass { public typealias Record = VDINBDServerInfoRecord }

/// The messages of the class `vdi_nbd_server_info`.
public struct VDINBDServerInfoCalls: ClassCalls {
    public typealias Class = VDINBDServerInfo
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
