// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VUSB`.
public struct VUSBRecord: XenRecord {
    public var uuid: String
    public var allowedOperations: [Open<VUSBOperations>]
    public var currentOperations: [String: Open<VUSBOperations>]
    public var vm: Ref<VM>
    public var usbGroup: Ref<USBGroup>
    public var otherConfig: [String: String]
    public var currentlyAttached: Bool

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VUSB")
        uuid = try record.field("uuid")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vm = try record.field("VM")
        usbGroup = try record.field("USB_group")
        otherConfig = try record.field("other_config")
        currentlyAttached = try record.field("currently_attached")
    }
}

extension VUSB: RecordClass { public typealias Record = VUSBRecord }

/// The messages of the class `VUSB`.
public struct VUSBCalls: ObjectCalls, ListingCalls {
    public typealias Class = VUSB
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `VUSB.create`.
    ///
    /// Since inverness. Role: pool-admin.
    public func create(vm: Ref<VM>, usbGroup: Ref<USBGroup>, otherConfig: [String: String] = [:]) async throws -> Ref<VUSB> {
        try await self.caller.invoke("VUSB.create", [vm.wire, usbGroup.wire, otherConfig.wire], defaults: [.structure([])])
    }

    /// Starts `VUSB.create` and answers with its task.
    public func asyncCreate(vm: Ref<VM>, usbGroup: Ref<USBGroup>, otherConfig: [String: String] = [:]) async throws -> XenTaskHandle<Ref<VUSB>> {
        try await self.caller.launch("VUSB.create", [vm.wire, usbGroup.wire, otherConfig.wire], defaults: [.structure([])])
    }

    /// Calls `VUSB.unplug`.
    ///
    /// Since inverness. Role: pool-admin.
    public func unplug(_ vusb: Ref<VUSB>) async throws {
        try await self.caller.perform("VUSB.unplug", [vusb.wire])
    }

    /// Starts `VUSB.unplug` and answers with its task.
    public func asyncUnplug(_ vusb: Ref<VUSB>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VUSB.unplug", [vusb.wire])
    }

    /// Calls `VUSB.destroy`.
    ///
    /// Since inverness. Role: pool-admin.
    public func destroy(_ vusb: Ref<VUSB>) async throws {
        try await self.caller.perform("VUSB.destroy", [vusb.wire])
    }

    /// Starts `VUSB.destroy` and answers with its task.
    public func asyncDestroy(_ vusb: Ref<VUSB>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("VUSB.destroy", [vusb.wire])
    }
}
