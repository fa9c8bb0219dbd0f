// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `crashdump`.
public struct CrashdumpRecord: XenRecord {
    public var uuid: String
    public var vm: Ref<VM>
    public var vdi: Ref<VDI>
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "crashdump")
        uuid = try record.field("uuid")
        vm = try record.field("VM")
        vdi = try record.field("VDI")
        otherConfig = try record.field("other_config")
    }
}

extension Crashdump: RecordClass { public typealias Record = CrashdumpRecord }

/// The messages of the class `crashdump`.
public struct CrashdumpCalls: ObjectCalls, ListingCalls {
    public typealias Class = Crashdump
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `crashdump.destroy`.
    ///
    /// Since rio. Role: pool-operator.
    public func destroy(_ crashdump: Ref<Crashdump>) async throws {
        try await self.caller.perform("crashdump.destroy", [crashdump.wire])
    }

    /// Starts `crashdump.destroy` and answers with its task.
    public func asyncDestroy(_ crashdump: Ref<Crashdump>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("crashdump.destroy", [crashdump.wire])
    }
}
