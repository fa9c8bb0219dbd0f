// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `secret`. A text that only some roles may read, such as a password of storage.
public struct SecretRecord: XenRecord {
    /// Identifies the secret.
    public var uuid: String
    /// The text.
    public var value: String
    /// For notes.
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "secret")
        uuid = try record.field("uuid")
        value = try record.field("value")
        otherConfig = try record.field("other_config")
    }
}

extension Secret: RecordClass { public typealias Record = SecretRecord }

/// What `secret.create` takes. The server has its own value for a member that is nil.
public struct SecretCreation: WireWritable {
    /// The text.
    public var value: String
    /// For notes.
    public var otherConfig: [String: String]?

    public init(
        value: String,
        otherConfig: [String: String]? = nil
    ) {
        self.value = value
        self.otherConfig = otherConfig
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.put("value", value)
        record.putIfGiven("other_config", otherConfig)
        return record.wire
    }
}

extension Secret: CreatableClass { public typealias Creation = SecretCreation }

/// The messages of the class `secret`.
public struct SecretCalls: ObjectCalls, ListingCalls, CreatableCalls {
    public typealias Class = Secret
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Enters a secret under a uuid that others know it by.
    ///
    /// Since midnight-ride. Role: pool-operator.
    public func introduce(uuid: String, value: String, otherConfig: [String: String] = [:]) async throws -> Ref<Secret> {
        try await self.caller.invoke("secret.introduce", [uuid.wire, value.wire, otherConfig.wire], defaults: [.structure([])])
    }
}
