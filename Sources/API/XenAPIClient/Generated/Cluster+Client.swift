// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Cluster`.
public struct ClusterRecord: XenRecord {
    public var uuid: String
    public var clusterHosts: [Ref<ClusterHost>]
    public var pendingForget: [String]
    public var clusterToken: String
    public var clusterStack: String
    public var clusterStackVersion: Int64?
    public var isQuorate: Bool?
    public var quorum: Int64?
    public var liveHosts: Int64?
    public var expectedHosts: Int64?
    public var allowedOperations: [Open<ClusterOperation>]
    public var currentOperations: [String: Open<ClusterOperation>]
    public var poolAutoJoin: Bool
    public var tokenTimeout: Double
    public var tokenTimeoutCoefficient: Double
    public var clusterConfig: [String: String]
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Cluster")
        uuid = try record.field("uuid")
        clusterHosts = try record.field("cluster_hosts")
        pendingForget = try record.field("pending_forget")
        clusterToken = try record.field("cluster_token")
        clusterStack = try record.field("cluster_stack")
        clusterStackVersion = try record.optional("cluster_stack_version")
        isQuorate = try record.optional("is_quorate")
        quorum = try record.optional("quorum")
        liveHosts = try record.optional("live_hosts")
        expectedHosts = try record.optional("expected_hosts")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        poolAutoJoin = try record.field("pool_auto_join")
        tokenTimeout = try record.field("token_timeout")
        tokenTimeoutCoefficient = try record.field("token_timeout_coefficient")
        clusterConfig = try record.field("cluster_config")
        otherConfig = try record.field("other_config")
    }
}

extension Cluster: RecordClass { public typealias Record = ClusterRecord }

/// The messages of the class `Cluster`.
public struct ClusterCalls: ObjectCalls, ListingCalls {
    public typealias Class = Cluster
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Cluster.create`.
    ///
    /// Since lima. Role: pool-operator. Errors: `INVALID_CLUSTER_STACK`, `INVALID_VALUE`, `PIF_ALLOWS_UNPLUG`, `REQUIRED_PIF_IS_UNPLUGGED`.
    public func create(pif: Ref<PIF>, clusterStack: String, poolAutoJoin: Bool, tokenTimeout: Double = 20.0, tokenTimeoutCoefficient: Double = 1.0) async throws -> Ref<Cluster> {
        try await self.caller.invoke("Cluster.create", [pif.wire, clusterStack.wire, poolAutoJoin.wire, tokenTimeout.wire, tokenTimeoutCoefficient.wire], defaults: [.double(20.0), .double(1.0)])
    }

    /// Starts `Cluster.create` and answers with its task.
    public func asyncCreate(pif: Ref<PIF>, clusterStack: String, poolAutoJoin: Bool, tokenTimeout: Double = 20.0, tokenTimeoutCoefficient: Double = 1.0) async throws -> XenTaskHandle<Ref<Cluster>> {
        try await self.caller.launch("Cluster.create", [pif.wire, clusterStack.wire, poolAutoJoin.wire, tokenTimeout.wire, tokenTimeoutCoefficient.wire], defaults: [.double(20.0), .double(1.0)])
    }

    /// Calls `Cluster.destroy`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_DOES_NOT_HAVE_ONE_NODE`, `CLUSTER_STACK_IN_USE`.
    public func destroy(_ cluster: Ref<Cluster>) async throws {
        try await self.caller.perform("Cluster.destroy", [cluster.wire])
    }

    /// Starts `Cluster.destroy` and answers with its task.
    public func asyncDestroy(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster.destroy", [cluster.wire])
    }

    /// Calls `Cluster.get_network`.
    ///
    /// Since lima. Role: read-only.
    public func getNetwork(_ cluster: Ref<Cluster>) async throws -> Ref<Network> {
        try await self.caller.invoke("Cluster.get_network", [cluster.wire])
    }

    /// Starts `Cluster.get_network` and answers with its task.
    public func asyncGetNetwork(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<Ref<Network>> {
        try await self.caller.launch("Cluster.get_network", [cluster.wire])
    }

    /// Calls `Cluster.pool_create`.
    ///
    /// Since lima. Role: pool-operator.
    public func poolCreate(network: Ref<Network>, clusterStack: String, tokenTimeout: Double = 20.0, tokenTimeoutCoefficient: Double = 1.0) async throws -> Ref<Cluster> {
        try await self.caller.invoke("Cluster.pool_create", [network.wire, clusterStack.wire, tokenTimeout.wire, tokenTimeoutCoefficient.wire], defaults: [.double(20.0), .double(1.0)])
    }

    /// Starts `Cluster.pool_create` and answers with its task.
    public func asyncPoolCreate(network: Ref<Network>, clusterStack: String, tokenTimeout: Double = 20.0, tokenTimeoutCoefficient: Double = 1.0) async throws -> XenTaskHandle<Ref<Cluster>> {
        try await self.caller.launch("Cluster.pool_create", [network.wire, clusterStack.wire, tokenTimeout.wire, tokenTimeoutCoefficient.wire], defaults: [.double(20.0), .double(1.0)])
    }

    /// Calls `Cluster.pool_force_destroy`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_FORCE_DESTROY_FAILED`.
    public func poolForceDestroy(_ cluster: Ref<Cluster>) async throws {
        try await self.caller.perform("Cluster.pool_force_destroy", [cluster.wire])
    }

    /// Starts `Cluster.pool_force_destroy` and answers with its task.
    public func asyncPoolForceDestroy(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster.pool_force_destroy", [cluster.wire])
    }

    /// Calls `Cluster.pool_destroy`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_STACK_IN_USE`, `CLUSTERING_DISABLED`, `CLUSTER_HOST_IS_LAST`.
    public func poolDestroy(_ cluster: Ref<Cluster>) async throws {
        try await self.caller.perform("Cluster.pool_destroy", [cluster.wire])
    }

    /// Starts `Cluster.pool_destroy` and answers with its task.
    public func asyncPoolDestroy(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster.pool_destroy", [cluster.wire])
    }

    /// Calls `Cluster.pool_resync`.
    ///
    /// Since lima. Role: pool-operator.
    public func poolResync(_ cluster: Ref<Cluster>) async throws {
        try await self.caller.perform("Cluster.pool_resync", [cluster.wire])
    }

    /// Starts `Cluster.pool_resync` and answers with its task.
    public func asyncPoolResync(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster.pool_resync", [cluster.wire])
    }

    /// Calls `Cluster.cstack_sync`.
    ///
    /// Since lima. Role: pool-operator. Between the hosts of a pool only.
    public func cstackSync(_ cluster: Ref<Cluster>) async throws {
        try await self.caller.perform("Cluster.cstack_sync", [cluster.wire])
    }

    /// Starts `Cluster.cstack_sync` and answers with its task.
    public func asyncCstackSync(_ cluster: Ref<Cluster>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster.cstack_sync", [cluster.wire])
    }
}
