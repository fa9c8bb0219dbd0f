// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PUSB`.
public struct PUSBRecord: XenRecord {
    public var uuid: String
    public var usbGroup: Ref<USBGroup>
    public var host: Ref<Host>
    public var path: String
    public var vendorID: String
    public var vendorDesc: String
    public var productID: String
    public var productDesc: String
    public var serial: String
    public var version: String
    public var description: String
    public var passthroughEnabled: Bool
    public var otherConfig: [String: String]
    public var speed: Double?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PUSB")
        uuid = try record.field("uuid")
        usbGroup = try record.field("USB_group")
        host = try record.field("host")
        path = try record.field("path")
        vendorID = try record.field("vendor_id")
        vendorDesc = try record.field("vendor_desc")
        productID = try record.field("product_id")
        productDesc = try record.field("product_desc")
        serial = try record.field("serial")
        version = try record.field("version")
        description = try record.field("description")
        passthroughEnabled = try record.field("passthrough_enabled")
        otherConfig = try record.field("other_config")
        speed = try record.optional("speed")
    }
}

extension PUSB: RecordClass { public typealias Record = PUSBRecord }

/// The messages of the class `PUSB`.
public struct PUSBCalls: ObjectCalls, ListingCalls {
    public typealias Class = PUSB
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PUSB.scan`.
    ///
    /// Since inverness. Role: pool-admin.
    public func scan(host: Ref<Host>) async throws {
        try await self.caller.perform("PUSB.scan", [host.wire])
    }

    /// Starts `PUSB.scan` and answers with its task.
    public func asyncScan(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PUSB.scan", [host.wire])
    }

    /// Calls `PUSB.set_passthrough_enabled`.
    ///
    /// Since inverness. Role: pool-admin.
    public func setPassthroughEnabled(_ pusb: Ref<PUSB>, value: Bool) async throws {
        try await self.caller.perform("PUSB.set_passthrough_enabled", [pusb.wire, value.wire])
    }

    /// Starts `PUSB.set_passthrough_enabled` and answers with its task.
    public func asyncSetPassthroughEnabled(_ pusb: Ref<PUSB>, value: Bool) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("PUSB.set_passthrough_enabled", [pusb.wire, value.wire])
    }
}
