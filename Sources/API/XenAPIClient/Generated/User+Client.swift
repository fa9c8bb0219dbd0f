// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `user`. An account of the pool, with a password. The subject of the same name says what it may do.
public struct UserRecord: XenRecord {
    /// Identifies the user.
    public var uuid: String
    /// The name to log in with.
    public var shortName: String
    /// The person's name.
    public var fullname: String
    /// For notes. The entry `password` sets the password, hashed, and is never stored or shown.
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "user")
        uuid = try record.field("uuid")
        shortName = try record.field("short_name")
        fullname = try record.field("fullname")
        otherConfig = try record.field("other_config")
    }
}

extension User: RecordClass { public typealias Record = UserRecord }

/// What `user.create` takes. The server has its own value for a member that is nil.
public struct UserCreation: WireWritable {
    /// The name to log in with.
    public var shortName: String
    /// The person's name.
    public var fullname: String
    /// For notes. The entry `password` sets the password, hashed, and is never stored or shown.
    public var otherConfig: [String: String]?

    public init(
        shortName: String,
        fullname: String,
        otherConfig: [String: String]? = nil
    ) {
        self.shortName = shortName
        self.fullname = fullname
        self.otherConfig = otherConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.put("short_name", shortName)
        record.put("fullname", fullname)
        record.putIfGiven("other_config", otherConfig)
        return record.wire
    }
}

extension User: CreatableClass { public typealias Creation = UserCreation }

/// The messages of the class `user`.
public struct UserCalls: ObjectCalls, CreatableCalls {
    public typealias Class = User
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
