// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `LVHD`.
public struct LVHDRecord: XenRecord {
    public var uuid: String

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "LVHD")
        uuid = try record.field("uuid")
    }
}

extension LVHD: RecordClass { public typealias Record = LVHDRecord }

/// The messages of the class `LVHD`.
public struct LVHDCalls: ObjectCalls {
    public typealias Class = LVHD
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `LVHD.enable_thin_provisioning`.
    ///
    /// Since dundee. Role: pool-admin.
    public func enableThinProvisioning(host: Ref<Host>, sr: Ref<SR>, initialAllocation: Int64, allocationQuantum: Int64) async throws -> String {
        try await self.caller.invoke("LVHD.enable_thin_provisioning", [host.wire, sr.wire, initialAllocation.wire, allocationQuantum.wire])
    }

    /// Starts `LVHD.enable_thin_provisioning` and answers with its task.
    public func asyncEnableThinProvisioning(host: Ref<Host>, sr: Ref<SR>, initialAllocation: Int64, allocationQuantum: Int64) async throws -> XenTaskHandle<String> {
        try await self.caller.launch("LVHD.enable_thin_provisioning", [host.wire, sr.wire, initialAllocation.wire, allocationQuantum.wire])
    }
}
