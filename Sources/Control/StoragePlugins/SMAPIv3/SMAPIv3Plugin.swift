import CoreTypes
import Foundation
import Logging
import RPCCodec
public import StorageInterface

/// A third-party SMAPIv3 plugin as a storage manager: each call is a run of one of its scripts. Plugins know nothing of
/// the API; the rows of their SRs and VDIs are written for them, so that to the toolstack they are like drivers that
/// write rows themselves.
public final class SMAPIv3Plugin: ThirdPartyManager {
    public let info: StorageManagerInfo
    let folder: ScriptFolder
    let host: PluginHost
    /// Version 3.0.
    let isLegacy: Bool
    let takesFormat: Bool

    init(description: PluginDescription, folder: ScriptFolder, host: PluginHost) {
        info = description.info
        isLegacy = description.isLegacy
        takesFormat = description.takesFormat
        self.folder = folder
        self.host = host
    }

    // MARK: Calls

    @discardableResult func call(
        _ method: String, _ arguments: [WireMember] = []
    ) async throws(StorageError) -> WireValue {
        try await host.runner.call(method, in: folder, arguments)
    }

    func read<T>(
        _ method: String, _ body: () throws(MisshapenRecord) -> T
    ) throws(StorageError) -> T {
        do {
            return try body()
        } catch {
            throw error.error(method)
        }
    }

    func volume(_ method: String, _ arguments: [WireMember]) async throws(StorageError) -> PluginVolume {
        let value = try await call(method, arguments)
        return try read(method) { () throws(MisshapenRecord) in try PluginVolume(value, isLegacy: isLegacy) }
    }

    /// The rows are written; what goes wrong with that is the toolstack's own failure.
    func write<T>(_ body: () async throws -> T) async throws(StorageError) -> T {
        do {
            return try await body()
        } catch let error as StorageError {
            throw error
        } catch {
            throw StorageError(.general, "the rows of a storage plugin's SR cannot be written: \(error)")
        }
    }

    /// The plugin's word for the SR, which must be attached. Not in the SR's turn: whoever attaches it needs that.
    func sr(_ repository: StorageRepository) async throws(StorageError) -> String {
        if let sr = host.table.repository(repository.uuid) { return sr }
        // After a restart it may be on its way.
        try? await host.rows.untilRepositoryIsBack(repository.ref)
        return try attachedSR(repository)
    }

    /// The same, without waiting.
    private func attachedSR(_ repository: StorageRepository) throws(StorageError) -> String {
        if let sr = host.table.repository(repository.uuid) { return sr }
        throw StorageError(
            .repositoryUnavailable, "the SR \(repository.uuid) is not attached; plug its PBD",
            apiError: ["SR_NOT_ATTACHED", repository.ref])
    }

    /// In the SR's turn, with the plugin's word for the SR. What may be on its way is waited for before.
    func inTurn<T: Sendable>(
        _ repository: StorageRepository, _ body: (String) async throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        _ = try await sr(repository)
        return try await host.inTurn(repository.uuid) { () async throws(StorageError) in
            try await body(try attachedSR(repository))
        }
    }

    // MARK: Arguments

    static func text(_ name: String, _ value: String) -> WireMember { WireMember(name, .string(value)) }

    static func map(_ name: String, _ map: [String: String]) -> WireMember {
        WireMember(name, .structure(DriverCall.members(map)))
    }

    /// Version 3.0 wants the configuration's `uri` beside it.
    func configuration(_ config: [String: String]) -> [WireMember] {
        let whole = [Self.map("configuration", config)]
        guard isLegacy else { return whole }
        return whole + [Self.text("uri", config["uri"] ?? "")]
    }
}
