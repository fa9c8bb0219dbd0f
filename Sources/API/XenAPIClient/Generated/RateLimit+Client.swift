// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Rate_limit`.
public struct RateLimitRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var callers: [Ref<Caller>]
    public var burstSize: Double
    public var fillRate: Double

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Rate_limit")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        callers = try record.field("callers")
        burstSize = try record.field("burst_size")
        fillRate = try record.field("fill_rate")
    }
}

extension RateLimit: RecordClass { public typealias Record = RateLimitRecord }

/// What `Rate_limit.create` takes. The server has its own value for a member that is nil.
public struct RateLimitCreation: WireWritable {
    public var nameLabel: String?
    public var nameDescription: String?
    public var burstSize: Double?
    public var fillRate: Double?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        burstSize: Double? = nil,
        fillRate: Double? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.burstSize = burstSize
        self.fillRate = fillRate
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("burst_size", burstSize)
        record.putIfGiven("fill_rate", fillRate)
        return record.wire
    }
}

extension RateLimit: CreatableClass { public typealias Creation = RateLimitCreation }

/// The messages of the class `Rate_limit`.
public struct RateLimitCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = RateLimit
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Rate_limit.add_caller`.
    ///
    /// Since 26.17.0. Role: pool-admin.
    public func addCaller(_ rateLimit: Ref<RateLimit>, caller: Ref<Caller>) async throws {
        try await self.caller.perform("Rate_limit.add_caller", [rateLimit.wire, caller.wire])
    }

    /// Starts `Rate_limit.add_caller` and answers with its task.
    public func asyncAddCaller(_ rateLimit: Ref<RateLimit>, caller: Ref<Caller>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Rate_limit.add_caller", [rateLimit.wire, caller.wire])
    }

    /// Calls `Rate_limit.remove_caller`.
    ///
    /// Since 26.17.0. Role: pool-admin.
    public func removeCaller(_ rateLimit: Ref<RateLimit>, caller: Ref<Caller>) async throws {
        try await self.caller.perform("Rate_limit.remove_caller", [rateLimit.wire, caller.wire])
    }

    /// Starts `Rate_limit.remove_caller` and answers with its task.
    public func asyncRemoveCaller(_ rateLimit: Ref<RateLimit>, caller: Ref<Caller>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Rate_limit.remove_caller", [rateLimit.wire, caller.wire])
    }

    /// Calls `Rate_limit.set_burst_size`.
    ///
    /// Since 26.17.0. Role: pool-admin.
    public func setBurstSize(_ rateLimit: Ref<RateLimit>, value: Double) async throws {
        try await self.caller.perform("Rate_limit.set_burst_size", [rateLimit.wire, value.wire])
    }

    /// Starts `Rate_limit.set_burst_size` and answers with its task.
    public func asyncSetBurstSize(_ rateLimit: Ref<RateLimit>, value: Double) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Rate_limit.set_burst_size", [rateLimit.wire, value.wire])
    }

    /// Calls `Rate_limit.set_fill_rate`.
    ///
    /// Since 26.17.0. Role: pool-admin.
    public func setFillRate(_ rateLimit: Ref<RateLimit>, value: Double) async throws {
        try await self.caller.perform("Rate_limit.set_fill_rate", [rateLimit.wire, value.wire])
    }

    /// Starts `Rate_limit.set_fill_rate` and answers with its task.
    public func asyncSetFillRate(_ rateLimit: Ref<RateLimit>, value: Double) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Rate_limit.set_fill_rate", [rateLimit.wire, value.wire])
    }
}
