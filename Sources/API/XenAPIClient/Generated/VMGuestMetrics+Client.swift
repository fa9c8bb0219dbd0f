// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `VM_guest_metrics`. What a guest says of itself through an agent.
public struct VMGuestMetricsRecord: XenRecord {
    /// Identifies the object.
    public var uuid: String
    /// The guest's system, by aspects.
    public var osVersion: [String: String]
    public var netbiosName: [String: String]?
    public var pvDriversVersion: [String: String]
    public var pvDriversUpToDate: Bool
    public var memory: [String: String]?
    public var disks: [String: String]?
    /// The guest's addresses, by interface.
    public var networks: [String: String]
    public var other: [String: String]
    /// When the agent spoke last.
    public var lastUpdated: APIDate
    public var otherConfig: [String: String]
    public var live: Bool
    public var canUseHotplugVBD: Open<TristateType>
    public var canUseHotplugVIF: Open<TristateType>
    public var pvDriversDetected: Bool
    public var services: [String: String]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "VM_guest_metrics")
        uuid = try record.field("uuid")
        osVersion = try record.field("os_version")
        netbiosName = try record.optional("netbios_name")
        pvDriversVersion = try record.field("PV_drivers_version")
        pvDriversUpToDate = try record.field("PV_drivers_up_to_date")
        memory = try record.optional("memory")
        disks = try record.optional("disks")
        networks = try record.field("networks")
        other = try record.field("other")
        lastUpdated = try record.field("last_updated")
        otherConfig = try record.field("other_config")
        live = try record.field("live")
        canUseHotplugVBD = try record.field("can_use_hotplug_vbd")
        canUseHotplugVIF = try record.field("can_use_hotplug_vif")
        pvDriversDetected = try record.field("PV_drivers_detected")
        services = try record.optional("services")
    }
}

extension VMGuestMetrics: RecordClass { public typealias Record = VMGuestMetricsRecord }

/// The messages of the class `VM_guest_metrics`.
public struct VMGuestMetricsCalls: ObjectCalls, ListingCalls {
    public typealias Class = VMGuestMetrics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }
}
