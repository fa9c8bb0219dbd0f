import StorageInterface
import Synchronization

/// Rows in memory, of the one SR that a check or a test makes.
final class RowsInMemory: VolumeRows {
    struct State {
        var rows: [VolumeRow] = []
        /// What a scan found last.
        var listed: [PluginVolume] = []
        /// What the plugin wants to be attached with, when it said so.
        var deviceConfig: [String: String]?
        /// What was begun and has not ended.
        var unfinished: [UnfinishedVolume] = []
        /// What happens while an SR that is not attached is waited for.
        var whileAway: (@Sendable (String) async -> Void)?
        /// What happens while an earlier toolstack's runs are waited for.
        var whileLeft: (@Sendable () async -> Void)?
    }

    let state = Mutex(State())
    private let name: String
    private let description: String

    init(name: String, description: String) {
        self.name = name
        self.description = description
    }

    func untilLeftoversAreGone() async throws { await state.withLock { $0.whileLeft }?() }
    func untilRepositoryIsBack(_ repository: String) async throws { await state.withLock { $0.whileAway }?(repository) }
    func label(repository: String) -> (name: String, description: String) { (name, description) }
    func volumeRows(repository: String) -> [VolumeRow] { state.withLock { $0.rows } }

    func begin(_ making: UnfinishedVolume, repository: String) async throws {
        state.withLock { $0.unfinished.append(making) }
    }
    func end(_ making: UnfinishedVolume) async throws {
        state.withLock { state in state.unfinished.removeAll { $0 == making } }
    }

    func introduce(
        _ volume: PluginVolume, uuid: String, label: String, description: String, repository: String,
        ending making: UnfinishedVolume?
    ) async throws {
        state.withLock { state in
            state.rows.append(
                VolumeRow(uuid: uuid, key: volume.key, name: label, description: description, isManaged: true))
            state.unfinished.removeAll { $0 == making }
        }
    }

    func refresh(_ volume: PluginVolume, repository: String) async throws {}
    func reconcile(_ volumes: [PluginVolume], repository: String) async throws {
        state.withLock { $0.listed = volumes }
    }
    func forget(key: String, repository: String) async throws {
        state.withLock { state in state.rows.removeAll { $0.key == key } }
    }
    func store(_ space: RepositorySpace, repository: String) async throws {}
    func store(deviceConfig: [String: String], repository: String) async throws {
        state.withLock { $0.deviceConfig = deviceConfig }
    }
}
