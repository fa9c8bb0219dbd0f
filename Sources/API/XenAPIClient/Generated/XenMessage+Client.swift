// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `message`. A note of the toolstack for people: an alert.
public struct XenMessageRecord: XenRecord {
    /// Identifies the message.
    public var uuid: String
    /// What kind of message it is.
    public var name: String
    /// How urgent it is; 1 is most.
    public var priority: Int64
    /// The class of the object that it is about.
    public var cls: Open<MessageTargetClass>
    /// The object that it is about.
    public var objUUID: String
    /// When it was written.
    public var timestamp: APIDate
    /// The text.
    public var body: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "message")
        uuid = try record.field("uuid")
        name = try record.field("name")
        priority = try record.field("priority")
        cls = try record.field("cls")
        objUUID = try record.field("obj_uuid")
        timestamp = try record.field("timestamp")
        body = try record.field("body")
    }
}

extension XenMessage: RecordClass { public typealias Record = XenMessageRecord }

/// The messages of the class `message`.
public struct XenMessageCalls: ClassCalls {
    public typealias Class = XenMessage
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Writes a message about an object.
    ///
    /// Since orlando. Role: pool-operator.
    public func create(name: String, priority: Int64, cls: MessageTargetClass, objUUID: String, body: String) async throws -> Ref<XenMessage> {
        try await self.caller.invoke("message.create", [name.wire, priority.wire, cls.wire, objUUID.wire, body.wire])
    }

    /// Removes a message.
    ///
    /// Since orlando. Role: pool-operator.
    public func destroy(_ message: Ref<XenMessage>) async throws {
        try await self.caller.perform("message.destroy", [message.wire])
    }

    /// Removes several.
    ///
    /// Since 22.19.0. Role: pool-operator.
    public func destroyMany(messages: [Ref<XenMessage>]) async throws {
        try await self.caller.perform("message.destroy_many", [messages.wire])
    }

    /// Starts `message.destroy_many` and answers with its task.
    public func asyncDestroyMany(messages: [Ref<XenMessage>]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("message.destroy_many", [messages.wire])
    }

    /// Removes the messages that were made before or after a time, or of one priority.
    ///
    /// Since 26.6.0. Role: pool-operator.
    public func destroyAll(filters: [String: String]) async throws {
        try await self.caller.perform("message.destroy_all", [filters.wire])
    }

    /// Starts `message.destroy_all` and answers with its task.
    public func asyncDestroyAll(filters: [String: String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("message.destroy_all", [filters.wire])
    }

    /// The messages about an object since a time.
    ///
    /// Since orlando. Role: read-only.
    public func get(cls: MessageTargetClass, objUUID: String, since: APIDate) async throws -> [Ref<XenMessage>: XenMessageRecord] {
        try await self.caller.invoke("message.get", [cls.wire, objUUID.wire, since.wire])
    }

    /// All messages.
    ///
    /// Since orlando. Role: read-only.
    public func getAll() async throws -> [Ref<XenMessage>] {
        try await self.caller.invoke("message.get_all", [])
    }

    /// The messages since a time.
    ///
    /// Since orlando. Role: read-only.
    public func getSince(since: APIDate) async throws -> [Ref<XenMessage>: XenMessageRecord] {
        try await self.caller.invoke("message.get_since", [since.wire])
    }

    /// A message.
    ///
    /// Since orlando. Role: read-only.
    public func getRecord(_ message: Ref<XenMessage>) async throws -> XenMessageRecord {
        try await self.caller.invoke("message.get_record", [message.wire])
    }

    /// The message with this uuid.
    ///
    /// Since orlando. Role: read-only.
    public func getByUUID(uuid: String) async throws -> Ref<XenMessage> {
        try await self.caller.invoke("message.get_by_uuid", [uuid.wire])
    }

    /// All messages with their content.
    ///
    /// Since orlando. Role: read-only.
    public func getAllRecords() async throws -> [Ref<XenMessage>: XenMessageRecord] {
        try await self.caller.invoke("message.get_all_records", [])
    }

    /// The messages that an expression selects.
    ///
    /// Since orlando. Role: read-only.
    public func getAllRecordsWhere(expr: String) async throws -> [Ref<XenMessage>: XenMessageRecord] {
        try await self.caller.invoke("message.get_all_records_where", [expr.wire])
    }
}
