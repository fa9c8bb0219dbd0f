import Foundation
import Logging
import RPCCodec
public import StorageInterface

extension SMAPIv3Plugin {
    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        let label = host.rows.label(repository: repository.ref)
        let value = try await call(
            "SR.create",
            [Self.text("uuid", repository.uuid)] + configuration(repository.deviceConfig) + [
                Self.text("name", label.name), Self.text("description", label.description),
            ])
        if value == .null, isLegacy { return }
        let config = try read("SR.create") { () throws(MisshapenRecord) in
            try RecordReader.map(value, "the configuration")
        }
        try await write { try await host.rows.store(deviceConfig: config, repository: repository.ref) }
    }

    /// The plugin is told of an attached SR, and only when there is no volume in it.
    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await host.inTurn(repository.uuid) { () async throws(StorageError) in
            let sr: String
            do throws(StorageError) {
                sr = try await attachInTurn(repository)
            } catch {
                guard host.table.isEnding(repository.uuid) else { throw error }
                try await requireDestroyed(repository, error)
                return try end(repository)
            }
            do throws(StorageError) {
                guard try await list(sr).isEmpty else {
                    throw StorageError(.repositoryNotEmpty, "the SR \(repository.uuid) holds volumes")
                }
                // From here on it may be gone, whoever hears of that.
                try host.table.change { $0.setEnding(true, repository.uuid) }
                try await call("SR.destroy", [Self.text("sr", sr)])
            } catch {
                try? await detachInTurn(repository)
                throw error
            }
            try end(repository)
        }
    }

    private func end(_ repository: StorageRepository) throws(StorageError) {
        host.forgetTold(repository.uuid)
        try host.table.change { content in
            content.repositories[repository.uuid] = nil
            content.volumes[repository.uuid] = nil
            content.transients?[repository.uuid] = nil
            content.setPages([], of: repository.uuid)
            content.setEnding(false, repository.uuid)
        }
    }

    /// For an SR that a call of `SR.destroy`, cut off, may have destroyed, and that cannot be attached: only what the plugin
    /// finds at its place tells whether it is gone.
    private func requireDestroyed(
        _ repository: StorageRepository, _ failure: StorageError
    ) async throws(StorageError) {
        if folder.has("SR.probe"),
            let found = try? await probe(repository.deviceConfig, smConfig: repository.smConfig),
            !found.contains(where: { $0.uuid == repository.uuid })
        {
            host.logger.notice(
                "an SR whose destruction was cut off is gone", metadata: ["sr": "\(repository.uuid)"])
            return
        }
        throw StorageError(
            .repositoryUnavailable,
            "the destruction of the SR \(repository.uuid) was cut off, and its plugin cannot attach it any more: "
                + "\(failure). If it is gone, SR.forget removes what is known of it")
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        try await host.inTurn(repository.uuid) { () async throws(StorageError) in
            _ = try await attachInTurn(repository)
            // It was not destroyed, and may have volumes from now on.
            try host.table.change { $0.setEnding(false, repository.uuid) }
        }
    }

    /// What was attached by an earlier toolstack stays so if the plugin knows it still.
    private func attachInTurn(_ repository: StorageRepository) async throws(StorageError) -> String {
        if let sr = host.table.repository(repository.uuid) {
            do {
                try await call("SR.stat", [Self.text("sr", sr)])
                return sr
            } catch {
                host.logger.warning(
                    "a storage plugin does not know an attached SR any more; it is attached again",
                    metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
            }
        }
        let value = try await call("SR.attach", configuration(repository.deviceConfig))
        guard case .string(let sr) = value, !sr.isEmpty else {
            throw MisshapenRecord(description: "a string is due").error("SR.attach")
        }
        try host.table.change { $0.repositories[repository.uuid] = sr }
        return sr
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        try await host.inTurn(repository.uuid) { () async throws(StorageError) in
            try await detachInTurn(repository)
        }
    }

    private func detachInTurn(_ repository: StorageRepository) async throws(StorageError) {
        guard let sr = host.table.repository(repository.uuid) else { return }
        // What a killed toolstack left; nobody uses the SR's disks any more.
        for key in host.table.volumes(in: repository.uuid).keys.sorted() { try await release(key, in: repository) }
        for key in host.table.transients(in: repository.uuid).keys.sorted() {
            try await closeTransient(key, in: repository)
        }
        try await call("SR.detach", [Self.text("sr", sr)])
        host.forgetTold(repository.uuid)
        try host.table.change { content in
            content.repositories[repository.uuid] = nil
            content.setPages([], of: repository.uuid)
        }
    }

    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        let sr = try await sr(repository)
        let space = try await state(repository, sr).space
        try await write { try await host.rows.store(space, repository: repository.ref) }
        return space
    }

    func state(
        _ repository: StorageRepository, _ sr: String
    ) async throws(StorageError) -> PluginRepositoryState {
        let value = try await call("SR.stat", [Self.text("sr", sr)])
        let state = try read("SR.stat") { () throws(MisshapenRecord) in try PluginRepositoryState(value) }
        note(state, repository)
        return state
    }

    /// An SR that cannot be reached is asked three times more, a second apart.
    private func healthyState(_ repository: StorageRepository, _ sr: String) async throws(StorageError)
        -> PluginRepositoryState
    {
        var state = try await state(repository, sr)
        for _ in 0..<3 where state.health == .unreachable {
            do {
                try await host.pause(.seconds(1))
            } catch {
                break
            }
            state = try await self.state(repository, sr)
        }
        guard state.health == .healthy else {
            throw StorageError(
                .repositoryUnavailable,
                "the SR \(repository.uuid) is not healthy: \(state.health.rawValue): \(state.advice)",
                apiError: ["SR_UNHEALTHY", repository.ref, state.health.rawValue, state.advice])
        }
        return state
    }

    func list(_ sr: String) async throws(StorageError) -> [PluginVolume] {
        let value = try await call("SR.ls", [Self.text("sr", sr)])
        return try read("SR.ls") { () throws(MisshapenRecord) in
            guard case .array(let items) = value else { throw MisshapenRecord(description: "an array is due") }
            var volumes: [PluginVolume] = []
            var keys: Set<String> = []
            for item in items {
                let volume = try PluginVolume(item, isLegacy: isLegacy)
                guard keys.insert(volume.key).inserted else {
                    throw MisshapenRecord(description: "the key \(volume.key.prefix(100)) occurs twice")
                }
                volumes.append(volume)
            }
            return volumes
        }
    }

    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            let state = try await healthyState(repository, sr)
            let volumes = withoutClones(try await list(sr), repository)
            try await write {
                try await host.rows.store(state.space, repository: repository.ref)
                try await host.rows.reconcile(volumes, repository: repository.ref)
            }
            await rename(state, sr, repository)
            await rename(volumes, sr, repository)
            return RepositoryScan(volumes: [], problems: [:])
        }
    }

    /// What guests have in place of disks that are reset is no disk.
    private func withoutClones(_ volumes: [PluginVolume], _ repository: StorageRepository) -> [PluginVolume] {
        let clones = Set(volumes.compactMap(\.epochClone))
            .subtracting(host.rows.volumeRows(repository: repository.ref).map(\.key))
        return clones.isEmpty ? volumes : volumes.filter { !clones.contains($0.key) }
    }

    /// In one scan, so that a plugin that changes names by itself does not keep the SR busy.
    private static let mostRenames = 100

    /// Rows are the disks' names; a plugin that missed a change is told.
    private func rename(_ volumes: [PluginVolume], _ sr: String, _ repository: StorageRepository) async {
        let rows = Dictionary(
            host.rows.volumeRows(repository: repository.ref).map { ($0.key, $0) },
            uniquingKeysWith: { first, _ in first })
        let renamed = volumes.compactMap { volume -> (key: String, name: String, description: String)? in
            guard let row = rows[volume.key], row.isManaged else { return nil }
            let name = UnfinishedVolume.isTitle(row.name) ? volume.name : row.name
            return name != volume.name || row.description != volume.text ? (volume.key, name, row.description) : nil
        }
        for volume in renamed.prefix(Self.mostRenames) {
            do {
                try await name(volume.key, sr, volume.name, volume.description)
            } catch {
                host.logger.warning(
                    "a storage plugin does not take a disk's name",
                    metadata: ["key": "\(volume.key)", "error": "\(error)"])
                return
            }
        }
    }

    /// The SR's, likewise. An SR that was introduced without a name keeps the one that it has in the storage, and what the
    /// plugin was told last it is not told at each scan.
    private func rename(_ state: PluginRepositoryState, _ sr: String, _ repository: StorageRepository) async {
        let row = host.rows.label(repository: repository.ref)
        let told = host.told(repository.uuid)
        let label = row.name.isEmpty || row.name == state.name || row.name == told?.label ? nil : row.name
        let isTold = row.description.isEmpty || row.description == state.text || row.description == told?.description
        do {
            try await name(sr, label, isTold ? nil : row.description, of: repository)
        } catch {
            host.logger.warning(
                "a storage plugin does not take an SR's name",
                metadata: ["sr": "\(repository.uuid)", "error": "\(error)"])
        }
    }

    public func renameRepository(
        _ repository: StorageRepository, _ present: @Sendable () -> (label: String, description: String)?
    ) async throws(StorageError) {
        try await inTurn(repository) { (sr) async throws(StorageError) in
            guard let names = present() else { return }
            try await name(sr, names.label, names.description, of: repository)
        }
    }

    /// A plugin without these scripts has no names that could change. What is nil stays as it is.
    private func name(
        _ sr: String, _ label: String?, _ description: String?, of repository: StorageRepository
    ) async throws(StorageError) {
        let arguments = [Self.text("sr", sr)]
        if let label {
            if folder.has("SR.set_name") { try await call("SR.set_name", arguments + [Self.text("new_name", label)]) }
            host.setTold(repository.uuid) { $0.label = label }
        }
        if let description {
            if folder.has("SR.set_description") {
                try await call("SR.set_description", arguments + [Self.text("new_description", description)])
            }
            host.setTold(repository.uuid) { $0.description = description }
        }
    }

    /// A plugin without these scripts has no names that could change.
    func name(_ key: String, _ sr: String, _ label: String, _ description: String) async throws(StorageError) {
        let volume = [Self.text("sr", sr), Self.text("key", key)]
        if folder.has("Volume.set_name") { try await call("Volume.set_name", volume + [Self.text("new_name", label)]) }
        if folder.has("Volume.set_description") {
            try await call("Volume.set_description", volume + [Self.text("new_description", description)])
        }
    }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        let value = try await call("SR.probe", [Self.map("configuration", deviceConfig)])
        return try read("SR.probe") { () throws(MisshapenRecord) in
            guard case .array(let items) = value else { throw MisshapenRecord(description: "an array is due") }
            var found: [RepositoryProbe] = []
            for item in items { found.append(try RepositoryProbe(plugin: item)) }
            return found
        }
    }
}
