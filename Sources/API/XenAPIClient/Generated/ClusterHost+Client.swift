// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `Cluster_host`.
public struct ClusterHostRecord: XenRecord {
    public var uuid: String
    public var cluster: Ref<Cluster>
    public var host: Ref<Host>
    public var enabled: Bool
    public var pif: Ref<PIF>
    public var joined: Bool
    public var live: Bool?
    public var lastUpdateLive: APIDate?
    public var allowedOperations: [Open<ClusterHostOperation>]
    public var currentOperations: [String: Open<ClusterHostOperation>]
    public var otherConfig: [String: String]

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "Cluster_host")
        uuid = try record.field("uuid")
        cluster = try record.field("cluster")
        host = try record.field("host")
        enabled = try record.field("enabled")
        pif = try record.field("PIF")
        joined = try record.field("joined")
        live = try record.optional("live")
        lastUpdateLive = try record.optional("last_update_live")
        allowedOperations = try record.field("allowed_operations")
        currentOperations = try record.field("current_operations")
        otherConfig = try record.field("other_config")
    }
}

extension ClusterHost: RecordClass { public typealias Record = ClusterHostRecord }

/// The messages of the class `Cluster_host`.
public struct ClusterHostCalls: ObjectCalls, ListingCalls {
    public typealias Class = ClusterHost
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Cluster_host.create`.
    ///
    /// Since lima. Role: pool-operator. Errors: `PIF_NOT_ATTACHED_TO_HOST`, `NO_CLUSTER_HOSTS_REACHABLE`.
    public func create(cluster: Ref<Cluster>, host: Ref<Host>, pif: Ref<PIF>) async throws -> Ref<ClusterHost> {
        try await self.caller.invoke("Cluster_host.create", [cluster.wire, host.wire, pif.wire])
    }

    /// Starts `Cluster_host.create` and answers with its task.
    public func asyncCreate(cluster: Ref<Cluster>, host: Ref<Host>, pif: Ref<PIF>) async throws -> XenTaskHandle<Ref<ClusterHost>> {
        try await self.caller.launch("Cluster_host.create", [cluster.wire, host.wire, pif.wire])
    }

    /// Calls `Cluster_host.destroy`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_STACK_IN_USE`, `CLUSTERING_DISABLED`, `CLUSTER_HOST_IS_LAST`.
    public func destroy(_ clusterHost: Ref<ClusterHost>) async throws {
        try await self.caller.perform("Cluster_host.destroy", [clusterHost.wire])
    }

    /// Starts `Cluster_host.destroy` and answers with its task.
    public func asyncDestroy(_ clusterHost: Ref<ClusterHost>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster_host.destroy", [clusterHost.wire])
    }

    /// Calls `Cluster_host.enable`.
    ///
    /// Since lima. Role: pool-operator. Errors: `PIF_ALLOWS_UNPLUG`, `REQUIRED_PIF_IS_UNPLUGGED`.
    public func enable(_ clusterHost: Ref<ClusterHost>) async throws {
        try await self.caller.perform("Cluster_host.enable", [clusterHost.wire])
    }

    /// Starts `Cluster_host.enable` and answers with its task.
    public func asyncEnable(_ clusterHost: Ref<ClusterHost>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster_host.enable", [clusterHost.wire])
    }

    /// Calls `Cluster_host.force_destroy`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_STACK_IN_USE`.
    public func forceDestroy(_ clusterHost: Ref<ClusterHost>) async throws {
        try await self.caller.perform("Cluster_host.force_destroy", [clusterHost.wire])
    }

    /// Starts `Cluster_host.force_destroy` and answers with its task.
    public func asyncForceDestroy(_ clusterHost: Ref<ClusterHost>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster_host.force_destroy", [clusterHost.wire])
    }

    /// Calls `Cluster_host.forget`.
    ///
    /// Since lima. Role: local-root-only.
    public func forget(_ clusterHost: Ref<ClusterHost>) async throws {
        try await self.caller.perform("Cluster_host.forget", [clusterHost.wire])
    }

    /// Starts `Cluster_host.forget` and answers with its task.
    public func asyncForget(_ clusterHost: Ref<ClusterHost>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster_host.forget", [clusterHost.wire])
    }

    /// Calls `Cluster_host.disable`.
    ///
    /// Since lima. Role: pool-operator. Errors: `CLUSTER_STACK_IN_USE`.
    public func disable(_ clusterHost: Ref<ClusterHost>) async throws {
        try await self.caller.perform("Cluster_host.disable", [clusterHost.wire])
    }

    /// Starts `Cluster_host.disable` and answers with its task.
    public func asyncDisable(_ clusterHost: Ref<ClusterHost>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Cluster_host.disable", [clusterHost.wire])
    }
}
