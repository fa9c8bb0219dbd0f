// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `USB_group`.
public struct USBGroupRecord: XenRecord {
    public var uuid: String
    public var nameLabel: String
    public var nameDescription: String
    public var pusbs: [Ref<PUSB>]
    public var vusbs: [Ref<VUSB>]
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "USB_group")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        pusbs = try record.field("PUSBs")
        vusbs = try record.field("VUSBs")
        otherConfig = try record.field("other_config")
    }
}

extension USBGroup: RecordClass { public typealias Record = USBGroupRecord }

/// The messages of the class `USB_group`.
public struct USBGroupCalls: ObjectCalls, NamedCalls, ListingCalls {
    public typealias Class = USBGroup
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `USB_group.create`.
    ///
    /// Since inverness. Role: pool-admin.
    public func create(nameLabel: String = "", nameDescription: String = "", otherConfig: [String: String] = [:]) async throws -> Ref<USBGroup> {
        try await self.caller.invoke("USB_group.create", [nameLabel.wire, nameDescription.wire, otherConfig.wire], defaults: [.string(""), .string(""), .structure([])])
    }

    /// Starts `USB_group.create` and answers with its task.
    public func asyncCreate(nameLabel: String = "", nameDescription: String = "", otherConfig: [String: String] = [:]) async throws -> XenTaskHandle<Ref<USBGroup>> {
        try await self.caller.launch("USB_group.create", [nameLabel.wire, nameDescription.wire, otherConfig.wire], defaults: [.string(""), .string(""), .structure([])])
    }

    /// Calls `USB_group.destroy`.
    ///
    /// Since inverness. Role: pool-admin.
    public func destroy(_ usbGroup: Ref<USBGroup>) async throws {
        try await self.caller.perform("USB_group.destroy", [usbGroup.wire])
    }

    /// Starts `USB_group.destroy` and answers with its task.
    public func asyncDestroy(_ usbGroup: Ref<USBGroup>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("USB_group.destroy", [usbGroup.wire])
    }
}
