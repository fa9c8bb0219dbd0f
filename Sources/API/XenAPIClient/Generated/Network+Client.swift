// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `network`. What network interfaces of hosts and VMs are connected to.
public struct NetworkRecord: XenRecord {
    /// Identifies the network.
    public var uuid: String
    /// The network's name.
    public var nameLabel: String
    /// What the administrator wrote about it.
    public var nameDescription: String
    public var allowedOperations: [Open<NetworkOperations>]
    public var currentOperations: [String: Open<NetworkOperations>]
    /// The interfaces of VMs on it.
    public var vifs: [Ref<VIF>]
    /// The interfaces of hosts on it.
    public var pifs: [Ref<PIF>]
    /// The longest packet, bytes.
    public var mtu: Int64
    /// For notes.
    public var otherConfig: [String: String]
    /// The bridge on the hosts.
    public var bridge: String
    /// Whether the toolstack looks after the bridge.
    public var managed: Bool?
    public var blobs: [String: Ref<Blob>]
    /// Words to find the network by.
    public var tags: [String]
    public var defaultLockingMode: Open<NetworkDefaultLockingMode>
    public var assignedIPs: [Ref<VIF>: String]
    public var purpose: [Open<NetworkPurpose>]?

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "network")
        uuid = try record.field("uuid")
        nameLabel = try record.field("name_label")
        nameDescription = try record.field("name_description")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        vifs = try record.field("VIFs")
        pifs = try record.field("PIFs")
        mtu = try record.field("MTU")
        otherConfig = try record.field("other_config")
        bridge = try record.field("bridge")
        managed = try record.optional("managed")
        blobs = try record.field("blobs")
        tags = try record.field("tags")
        defaultLockingMode = try record.field("default_locking_mode")
        assignedIPs = try record.field("assigned_ips")
        purpose = try record.optional("purpose")
    }
}

extension Network: RecordClass { public typealias Record = NetworkRecord }

/// What `network.create` takes. The server has its own value for a member that is nil.
public struct NetworkCreation: WireWritable {
    /// The network's name.
    public var nameLabel: String?
    /// What the administrator wrote about it.
    public var nameDescription: String?
    /// The longest packet, bytes.
    public var mtu: Int64?
    /// For notes.
    public var otherConfig: [String: String]
    /// The bridge on the hosts.
    public var bridge: String?
    /// Whether the toolstack looks after the bridge.
    public var managed: Bool?
    /// Words to find the network by.
    public var tags: [String]?

    public init(
        nameLabel: String? = nil,
        nameDescription: String? = nil,
        mtu: Int64? = nil,
        otherConfig: [String: String] = [:],
        bridge: String? = nil,
        managed: Bool? = nil,
        tags: [String]? = nil
    ) {
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.mtu = mtu
        self.otherConfig = otherConfig
        self.bridge = bridge
        self.managed = managed
        self.tags = tags
    }

    public var wire: WireValue {
        var record = RecordWriter()
        record.putIfGiven("name_label", nameLabel)
        record.putIfGiven("name_description", nameDescription)
        record.putIfGiven("MTU", mtu)
        record.put("other_config", otherConfig)
        record.putIfGiven("bridge", bridge)
        record.putIfGiven("managed", managed)
        record.putIfGiven("tags", tags)
        return record.wire
    }
}

extension Network: CreatableClass { public typealias Creation = NetworkCreation }

/// The messages of the class `network`.
public struct NetworkCalls: ObjectCalls, NamedCalls, ListingCalls, CreatableCalls {
    public typealias Class = Network
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `network.attach`.
    ///
    /// Since miami. Role: pool-operator.
    public func attach(_ network: Ref<Network>, host: Ref<Host>) async throws {
        try await self.caller.perform("network.attach", [network.wire, host.wire])
    }

    /// Starts `network.attach` and answers with its task.
    public func asyncAttach(_ network: Ref<Network>, host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.attach", [network.wire, host.wire])
    }

    /// Enters a network that the pool knows.
    ///
    /// Since rio. Role: pool-operator.
    public func poolIntroduce(nameLabel: String, nameDescription: String, mtu: Int64, otherConfig: [String: String], bridge: String, managed: Bool, purpose: [NetworkPurpose]) async throws -> Ref<Network> {
        try await self.caller.invoke("network.pool_introduce", [nameLabel.wire, nameDescription.wire, mtu.wire, otherConfig.wire, bridge.wire, managed.wire, purpose.wire])
    }

    /// Starts `network.pool_introduce` and answers with its task.
    public func asyncPoolIntroduce(nameLabel: String, nameDescription: String, mtu: Int64, otherConfig: [String: String], bridge: String, managed: Bool, purpose: [NetworkPurpose]) async throws -> XenTaskHandle<Ref<Network>> {
        try await self.caller.launch("network.pool_introduce", [nameLabel.wire, nameDescription.wire, mtu.wire, otherConfig.wire, bridge.wire, managed.wire, purpose.wire])
    }

    /// Makes an empty blob of the network, whose content is put and read at /blob.
    ///
    /// Since orlando. Role: pool-operator.
    public func createNewBlob(_ network: Ref<Network>, name: String, mimeType: String, `public`: Bool = false) async throws -> Ref<Blob> {
        try await self.caller.invoke("network.create_new_blob", [network.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Starts `network.create_new_blob` and answers with its task.
    public func asyncCreateNewBlob(_ network: Ref<Network>, name: String, mimeType: String, `public`: Bool = false) async throws -> XenTaskHandle<Ref<Blob>> {
        try await self.caller.launch("network.create_new_blob", [network.wire, name.wire, mimeType.wire, `public`.wire], defaults: [.bool(false)])
    }

    /// Sets how interfaces are locked to addresses where they say nothing themselves.
    ///
    /// Since tampa. Role: pool-operator.
    public func setDefaultLockingMode(_ network: Ref<Network>, value: NetworkDefaultLockingMode) async throws {
        try await self.caller.perform("network.set_default_locking_mode", [network.wire, value.wire])
    }

    /// Starts `network.set_default_locking_mode` and answers with its task.
    public func asyncSetDefaultLockingMode(_ network: Ref<Network>, value: NetworkDefaultLockingMode) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.set_default_locking_mode", [network.wire, value.wire])
    }

    /// Looks that the host has the networks of the VM. Another toolstack asks so that sends it here.
    ///
    /// Since tampa. Role: vm-power-admin.
    public func attachForVM(host: Ref<Host>, vm: Ref<VM>) async throws {
        try await self.caller.perform("network.attach_for_vm", [host.wire, vm.wire])
    }

    /// Starts `network.attach_for_vm` and answers with its task.
    public func asyncAttachForVM(host: Ref<Host>, vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.attach_for_vm", [host.wire, vm.wire])
    }

    /// Undoes `attach_for_vm`, of which nothing is left.
    ///
    /// Since tampa. Role: vm-power-admin.
    public func detachForVM(host: Ref<Host>, vm: Ref<VM>) async throws {
        try await self.caller.perform("network.detach_for_vm", [host.wire, vm.wire])
    }

    /// Starts `network.detach_for_vm` and answers with its task.
    public func asyncDetachForVM(host: Ref<Host>, vm: Ref<VM>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.detach_for_vm", [host.wire, vm.wire])
    }

    /// Adds a purpose; refused where another network has one that excludes it.
    ///
    /// Since inverness. Role: pool-admin. Errors: `NETWORK_INCOMPATIBLE_PURPOSES`.
    public func addPurpose(_ network: Ref<Network>, value: NetworkPurpose) async throws {
        try await self.caller.perform("network.add_purpose", [network.wire, value.wire])
    }

    /// Starts `network.add_purpose` and answers with its task.
    public func asyncAddPurpose(_ network: Ref<Network>, value: NetworkPurpose) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.add_purpose", [network.wire, value.wire])
    }

    /// Takes a purpose away.
    ///
    /// Since inverness. Role: pool-admin.
    public func removePurpose(_ network: Ref<Network>, value: NetworkPurpose) async throws {
        try await self.caller.perform("network.remove_purpose", [network.wire, value.wire])
    }

    /// Starts `network.remove_purpose` and answers with its task.
    public func asyncRemovePurpose(_ network: Ref<Network>, value: NetworkPurpose) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("network.remove_purpose", [network.wire, value.wire])
    }
}
