// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Host_driver`.
public struct HostDriverRecord: XenRecord {
    public var uuid: String
    public var host: Ref<Host>
    public var name: String
    public var friendlyName: String
    public var variants: [Ref<DriverVariant>]
    public var activeVariant: Ref<DriverVariant>
    public var selectedVariant: Ref<DriverVariant>
    public var type: String
    public var description: String
    public var info: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Host_driver")
        uuid = try record.field("uuid")
        host = try record.field("host")
        name = try record.field("name")
        friendlyName = try record.field("friendly_name")
        variants = try record.field("variants")
        activeVariant = try record.field("active_variant")
        selectedVariant = try record.field("selected_variant")
        type = try record.field("type")
        description = try record.field("description")
        info = try record.field("info")
    }
}

extension HostDriver: RecordClass { public typealias Record = HostDriverRecord }

/// The messages of the class `Host_driver`.
public struct HostDriverCalls: ObjectCalls, ListingCalls {
    public typealias Class = HostDriver
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Host_driver.select`.
    ///
    /// Since 25.2.0. Role: pool-admin.
    public func select(_ hostDriver: Ref<HostDriver>, variant: Ref<DriverVariant>) async throws {
        try await self.caller.perform("Host_driver.select", [hostDriver.wire, variant.wire])
    }

    /// Starts `Host_driver.select` and answers with its task.
    public func asyncSelect(_ hostDriver: Ref<HostDriver>, variant: Ref<DriverVariant>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Host_driver.select", [hostDriver.wire, variant.wire])
    }

    /// Calls `Host_driver.deselect`.
    ///
    /// Since 25.2.0. Role: pool-admin.
    public func deselect(_ hostDriver: Ref<HostDriver>) async throws {
        try await self.caller.perform("Host_driver.deselect", [hostDriver.wire])
    }

    /// Starts `Host_driver.deselect` and answers with its task.
    public func asyncDeselect(_ hostDriver: Ref<HostDriver>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Host_driver.deselect", [hostDriver.wire])
    }

    /// Calls `Host_driver.rescan`.
    ///
    /// Since 25.2.0. Role: pool-admin.
    public func rescan(host: Ref<Host>) async throws {
        try await self.caller.perform("Host_driver.rescan", [host.wire])
    }

    /// Starts `Host_driver.rescan` and answers with its task.
    public func asyncRescan(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Host_driver.rescan", [host.wire])
    }
}
