// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `PCI`.
public struct PCIRecord: XenRecord {
    public var uuid: String
    public var classID: String
    public var classNameField: String
    public var vendorID: String
    public var vendorName: String
    public var deviceID: String
    public var deviceName: String
    public var host: Ref<Host>
    public var pciID: String
    public var dependencies: [Ref<PCI>]
    public var otherConfig: [String: String]
    public var subsystemVendorID: String
    public var subsystemVendorName: String
    public var subsystemDeviceID: String
    public var subsystemDeviceName: String
    public var driverName: String?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "PCI")
        uuid = try record.field("uuid")
        classID = try record.field("class_id")
        classNameField = try record.field("class_name")
        vendorID = try record.field("vendor_id")
        vendorName = try record.field("vendor_name")
        deviceID = try record.field("device_id")
        deviceName = try record.field("device_name")
        host = try record.field("host")
        pciID = try record.field("pci_id")
        dependencies = try record.field("dependencies")
        otherConfig = try record.field("other_config")
        subsystemVendorID = try record.field("subsystem_vendor_id")
        subsystemVendorName = try record.field("subsystem_vendor_name")
        subsystemDeviceID = try record.field("subsystem_device_id")
        subsystemDeviceName = try record.field("subsystem_device_name")
        driverName = try record.optional("driver_name")
    }
}

extension PCI: RecordClass { public typealias Record = PCIRecord }

/// The messages of the class `PCI`.
public struct PCICalls: ObjectCalls, ListingCalls {
    public typealias Class = PCI
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `PCI.disable_dom0_access`.
    ///
    /// Since 24.14.0. Role: pool-operator.
    public func disableDom0Access(_ pci: Ref<PCI>) async throws -> Open<PCIDom0Access> {
        try await self.caller.invoke("PCI.disable_dom0_access", [pci.wire])
    }

    /// Starts `PCI.disable_dom0_access` and answers with its task.
    public func asyncDisableDom0Access(_ pci: Ref<PCI>) async throws -> XenTaskHandle<Open<PCIDom0Access>> {
        try await self.caller.launch("PCI.disable_dom0_access", [pci.wire])
    }

    /// Calls `PCI.enable_dom0_access`.
    ///
    /// Since 24.14.0. Role: pool-operator.
    public func enableDom0Access(_ pci: Ref<PCI>) async throws -> Open<PCIDom0Access> {
        try await self.caller.invoke("PCI.enable_dom0_access", [pci.wire])
    }

    /// Starts `PCI.enable_dom0_access` and answers with its task.
    public func asyncEnableDom0Access(_ pci: Ref<PCI>) async throws -> XenTaskHandle<Open<PCIDom0Access>> {
        try await self.caller.launch("PCI.enable_dom0_access", [pci.wire])
    }

    /// Calls `PCI.get_dom0_access_status`.
    ///
    /// Since 24.14.0. Role: pool-operator.
    public func getDom0AccessStatus(_ pci: Ref<PCI>) async throws -> Open<PCIDom0Access> {
        try await self.caller.invoke("PCI.get_dom0_access_status", [pci.wire])
    }

    /// Starts `PCI.get_dom0_access_status` and answers with its task.
    public func asyncGetDom0AccessStatus(_ pci: Ref<PCI>) async throws -> XenTaskHandle<Open<PCIDom0Access>> {
        try await self.caller.launch("PCI.get_dom0_access_status", [pci.wire])
    }
}
