// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
import RPCCodec

/// The messages of the class `Diagnostics`.
public struct DiagnosticsCalls: ClassCalls {
    public typealias Class = Diagnostics
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `Diagnostics.gc_compact`.
    ///
    /// Since stockholm. Role: pool-operator.
    public func gcCompact(host: Ref<Host>) async throws {
        try await self.caller.perform("Diagnostics.gc_compact", [host.wire])
    }

    /// Starts `Diagnostics.gc_compact` and answers with its task.
    public func asyncGcCompact(host: Ref<Host>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("Diagnostics.gc_compact", [host.wire])
    }

    /// Calls `Diagnostics.gc_stats`.
    ///
    /// Since stockholm. Role: pool-operator.
    public func gcStats(host: Ref<Host>) async throws -> [String: String] {
        try await self.caller.invoke("Diagnostics.gc_stats", [host.wire])
    }

    /// Starts `Diagnostics.gc_stats` and answers with its task.
    public func asyncGcStats(host: Ref<Host>) async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("Diagnostics.gc_stats", [host.wire])
    }

    /// Calls `Diagnostics.db_stats`.
    ///
    /// Since stockholm. Role: pool-operator.
    public func dbStats() async throws -> [String: String] {
        try await self.caller.invoke("Diagnostics.db_stats", [])
    }

    /// Starts `Diagnostics.db_stats` and answers with its task.
    public func asyncDbStats() async throws -> XenTaskHandle<[String: String]> {
        try await self.caller.launch("Diagnostics.db_stats", [])
    }

    /// Calls `Diagnostics.network_stats`.
    ///
    /// Since stockholm. Role: pool-operator.
    public func networkStats(host: Ref<Host>, params: [String: String]) async throws -> [[String]] {
        try await self.caller.invoke("Diagnostics.network_stats", [host.wire, params.wire])
    }

    /// Starts `Diagnostics.network_stats` and answers with its task.
    public func asyncNetworkStats(host: Ref<Host>, params: [String: String]) async throws -> XenTaskHandle<[[String]]> {
        try await self.caller.launch("Diagnostics.network_stats", [host.wire, params.wire])
    }
}
