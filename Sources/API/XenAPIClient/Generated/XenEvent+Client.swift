// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `event`. A change of an object, as `event.from` tells it.
public struct XenEventRecord: XenRecord {
    /// The generation of the database that made the change.
    public var id: Int64
    /// Always zero: events are not dated.
    public var timestamp: APIDate
    /// The class of the object, in lower case.
    public var `class`: String
    /// `add`, `mod` or `del`.
    public var operation: Open<EventOperation>
    /// The object.
    public var ref: String
    /// Not used.
    public var objUUID: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "event")
        id = try record.field("id")
        timestamp = try record.field("timestamp")
        `class` = try record.field("class")
        operation = try record.field("operation")
        ref = try record.field("ref")
        objUUID = try record.field("obj_uuid")
    }
}

extension XenEvent: RecordClass { public typealias Record = XenEventRecord }

/// The messages of the class `event`.
public struct XenEventCalls: ClassCalls {
    public typealias Class = XenEvent
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// The older way: subscribes the session to classes for `event.next`.
    ///
    /// Since rio, deprecated in boston. Role: read-only.
    public func register(classes: [String]) async throws {
        try await self.caller.perform("event.register", [classes.wire])
    }

    /// Starts `event.register` and answers with its task.
    public func asyncRegister(classes: [String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("event.register", [classes.wire])
    }

    /// Takes classes out of the subscription.
    ///
    /// Since rio, deprecated in boston. Role: read-only.
    public func unregister(classes: [String]) async throws {
        try await self.caller.perform("event.unregister", [classes.wire])
    }

    /// Starts `event.unregister` and answers with its task.
    public func asyncUnregister(classes: [String]) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("event.unregister", [classes.wire])
    }

    /// The generation of the database.
    ///
    /// Since rio. Role: read-only.
    public func getCurrentID() async throws -> Int64 {
        try await self.caller.invoke("event.get_current_id", [])
    }

    /// Makes an object look changed, and returns the token of the state before.
    ///
    /// Since tampa. Role: read-only.
    public func inject(`class`: String, ref: String) async throws -> String {
        try await self.caller.invoke("event.inject", [`class`.wire, ref.wire])
    }
}
