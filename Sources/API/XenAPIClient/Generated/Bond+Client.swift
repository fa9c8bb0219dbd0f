// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Bond`.
public struct BondRecord: XenRecord {
    public var uuid: String
    public var master: Ref<PIF>
    public var slaves: [Ref<PIF>]
    public var otherConfig: [String: String]
    public var primarySlave: Ref<PIF>
    public var mode: Open<BondMode>
    public var properties: [String: String]
    public var linksUp: Int64
    public var autoUpdateMAC: Bool?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Bond")
        uuid = try record.field("uuid")
        master = try record.field("master")
        slaves = try record.field("slaves")
        otherConfig = try record.field("other_config")
        primarySlave = try record.field("primary_slave")
        mode = try record.field("mode")
        properties = try record.field("properties")
        linksUp = try record.field("links_up")
        autoUpdateMAC = try record.optional("auto_update_mac")
    }
}

extension Bond: RecordClass { public typealias Record = BondRecord }

/// The messages of the class `Bond`.
public struct BondCalls: ObjectCalls, ListingCalls {
    public typealias Class = Bond
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Bond.create`.
    ///
    /// Since miami. Role: pool-operator.
    public func create(network: Ref<Network>, members: [Ref<PIF>], mac: String, mode: BondMode = .balanceSlb, properties: [String: String] = [:]) async throws -> Ref<Bond> {
        try await self.caller.invoke("Bond.create", [network.wire, members.wire, mac.wire, mode.wire, properties.wire], defaults: [.string("balance-slb"), .structure([])])
    }

    /// Starts `Bond.create` and answers with its task.
    public func asyncCreate(network: Ref<Network>, members: [Ref<PIF>], mac: String, mode: BondMode = .balanceSlb, properties: [String: String] = [:]) async throws -> XenTaskHandle<Ref<Bond>> {
        try await self.caller.launch("Bond.create", [network.wire, members.wire, mac.wire, mode.wire, properties.wire], defaults: [.string("balance-slb"), .structure([])])
    }

    /// Calls `Bond.destroy`.
    ///
    /// Since miami. Role: pool-operator.
    public func destroy(_ bond: Ref<Bond>) async throws {
        try await self.caller.perform("Bond.destroy", [bond.wire])
    }

    /// Starts `Bond.destroy` and answers with its task.
    public func asyncDestroy(_ bond: Ref<Bond>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Bond.destroy", [bond.wire])
    }

    /// Calls `Bond.set_mode`.
    ///
    /// Since boston. Role: pool-operator.
    public func setMode(_ bond: Ref<Bond>, value: BondMode) async throws {
        try await self.caller.perform("Bond.set_mode", [bond.wire, value.wire])
    }

    /// Starts `Bond.set_mode` and answers with its task.
    public func asyncSetMode(_ bond: Ref<Bond>, value: BondMode) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Bond.set_mode", [bond.wire, value.wire])
    }

    /// Calls `Bond.set_property`.
    ///
    /// Since tampa. Role: pool-operator.
    public func setProperty(_ bond: Ref<Bond>, name: String, value: String) async throws {
        try await self.caller.perform("Bond.set_property", [bond.wire, name.wire, value.wire])
    }

    /// Starts `Bond.set_property` and answers with its task.
    public func asyncSetProperty(_ bond: Ref<Bond>, name: String, value: String) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Bond.set_property", [bond.wire, name.wire, value.wire])
    }
}
