// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `console`. A way to a VM's screen or serial line.
public struct XenConsoleRecord: XenRecord {
    /// Identifies the console.
    public var uuid: String
    /// How it is spoken to.
    public var `protocol`: Open<ConsoleProtocol>
    /// The URL where it is.
    public var location: String
    /// The VM.
    public var vm: Ref<VM>
    /// For notes.
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "console")
        uuid = try record.field("uuid")
        `protocol` = try record.field("protocol")
        location = try record.field("location")
        vm = try record.field("VM")
        otherConfig = try record.field("other_config")
    }
}

extension XenConsole: RecordClass { public typealias Record = XenConsoleRecord }

/// What `console.create` takes. The server has its own value for a member that is nil.
public struct XenConsoleCreation: WireWritable {
    /// For notes.
    public var otherConfig: [String: String]

    public init(
        otherConfig: [String: String] = [:]
    ) {
        self.otherConfig = otherConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.put("other_config", otherConfig)
        return record.wire
    }
}

extension XenConsole: CreatableClass { public typealias Creation = XenConsoleCreation }

/// The messages of the class `console`.
public struct XenConsoleCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = XenConsole
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
