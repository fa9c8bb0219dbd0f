// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Driver_variant`.
public struct DriverVariantRecord: XenRecord {
    public var uuid: String
    public var name: String
    public var driver: Ref<HostDriver>
    public var version: String
    public var hardwarePresent: Bool
    public var priority: Double
    public var status: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Driver_variant")
        uuid = try record.field("uuid")
        name = try record.field("name")
        driver = try record.field("driver")
        version = try record.field("version")
        hardwarePresent = try record.field("hardware_present")
        priority = try record.field("priority")
        status = try record.field("status")
    }
}

extension DriverVariant: RecordClass { public typealias Record = DriverVariantRecord }

/// The messages of the class `Driver_variant`.
public struct DriverVariantCalls: ObjectCalls, ListingCalls {
    public typealias Class = DriverVariant
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Driver_variant.select`.
    ///
    /// Since 25.2.0. Role: pool-admin.
    public func select(_ driverVariant: Ref<DriverVariant>) async throws {
        try await self.caller.perform("Driver_variant.select", [driverVariant.wire])
    }

    /// Starts `Driver_variant.select` and answers with its task.
    public func asyncSelect(_ driverVariant: Ref<DriverVariant>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Driver_variant.select", [driverVariant.wire])
    }
}
