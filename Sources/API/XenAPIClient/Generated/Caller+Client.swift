// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Caller`.
public struct CallerRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var userAgent: String
    public var clientIP: String
    public var lastAccess: APIDate
    public var groups: [String]
    public var rateLimit: Ref<RateLimit>
    public var autoRegistered: Bool

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Caller")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        userAgent = try record.field("user_agent")
        clientIP = try record.field("client_ip")
        lastAccess = try record.field("last_access")
        groups = try record.field("groups")
        rateLimit = try record.field("rate_limit")
        autoRegistered = try record.field("auto_registered")
    }
}

extension Caller: RecordClass { public typealias Record = CallerRecord }

/// What `Caller.create` takes. The server has its own value for a member that is nil.
public struct CallerCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var userAgent: String?
    public var clientIP: String?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        userAgent: String? = nil,
        clientIP: String? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.userAgent = userAgent
        self.clientIP = clientIP
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("user_agent", userAgent)
        record.putIfGiven("client_ip", clientIP)
        return record.wire
    }
}

extension Caller: CreatableClass { public typealias Creation = CallerCreation }

/// The messages of the class `Caller`.
public struct CallerCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = Caller
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Caller.add_group`.
    ///
    /// Since 26.17.0. Role: pool-operator.
    public func addGroup(_ caller: Ref<Caller>, group: String) async throws {
        try await self.caller.perform("Caller.add_group", [caller.wire, group.wire])
    }

    /// Starts `Caller.add_group` and answers with its task.
    public func asyncAddGroup(_ caller: Ref<Caller>, group: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Caller.add_group", [caller.wire, group.wire])
    }

    /// Calls `Caller.remove_group`.
    ///
    /// Since 26.17.0. Role: pool-operator.
    public func removeGroup(_ caller: Ref<Caller>, group: String) async throws {
        try await self.caller.perform("Caller.remove_group", [caller.wire, group.wire])
    }

    /// Starts `Caller.remove_group` and answers with its task.
    public func asyncRemoveGroup(_ caller: Ref<Caller>, group: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Caller.remove_group", [caller.wire, group.wire])
    }

    /// Calls `Caller.query_token_usage`.
    ///
    /// Since 26.15.0. Role: pool-operator.
    public func queryTokenUsage(_ caller: Ref<Caller>) async throws -> Double {
        try await self.caller.invoke("Caller.query_token_usage", [caller.wire])
    }

    /// Starts `Caller.query_token_usage` and answers with its task.
    public func asyncQueryTokenUsage(_ caller: Ref<Caller>) async throws -> XenTaskHandle<Double> {
        try await self.caller.launch("Caller.query_token_usage", [caller.wire])
    }

    /// Calls `Caller.query_call_count`.
    ///
    /// Since 26.15.0. Role: pool-operator.
    public func queryCallCount(_ caller: Ref<Caller>) async throws -> Int64 {
        try await self.caller.invoke("Caller.query_call_count", [caller.wire])
    }

    /// Starts `Caller.query_call_count` and answers with its task.
    public func asyncQueryCallCount(_ caller: Ref<Caller>) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("Caller.query_call_count", [caller.wire])
    }

    /// Calls `Caller.query_group_token_usage`.
    ///
    /// Since 26.15.0. Role: pool-operator.
    public func queryGroupTokenUsage(group: String) async throws -> Double {
        try await self.caller.invoke("Caller.query_group_token_usage", [group.wire])
    }

    /// Starts `Caller.query_group_token_usage` and answers with its task.
    public func asyncQueryGroupTokenUsage(group: String) async throws -> XenTaskHandle<Double> {
        try await self.caller.launch("Caller.query_group_token_usage", [group.wire])
    }

    /// Calls `Caller.query_group_call_count`.
    ///
    /// Since 26.15.0. Role: pool-operator.
    public func queryGroupCallCount(group: String) async throws -> Int64 {
        try await self.caller.invoke("Caller.query_group_call_count", [group.wire])
    }

    /// Starts `Caller.query_group_call_count` and answers with its task.
    public func asyncQueryGroupCallCount(group: String) async throws -> XenTaskHandle<Int64> {
        try await self.caller.launch("Caller.query_group_call_count", [group.wire])
    }

    /// Calls `Caller.query_all_usage`.
    ///
    /// Since 26.17.0. Role: pool-operator.
    public func queryAllUsage() async throws -> [[String]] {
        try await self.caller.invoke("Caller.query_all_usage", [])
    }

    /// Starts `Caller.query_all_usage` and answers with its task.
    public func asyncQueryAllUsage() async throws -> XenTaskHandle<[[String]]> {
        try await self.caller.launch("Caller.query_all_usage", [])
    }
}
