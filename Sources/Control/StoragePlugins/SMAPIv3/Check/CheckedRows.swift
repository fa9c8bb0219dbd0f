import StorageInterface
import Synchronization

/// Rows in memory, of the one SR that a check makes.
final class CheckedRows: VolumeRows {
    private struct State {
        var rows: [VolumeRow] = []
        var deviceConfig: [String: String]?
    }

    private let state = Mutex(State())

    /// What the plugin wants to be attached with, when it said so.
    var deviceConfig: [String: String]? { state.withLock { $0.deviceConfig } }

    func untilRepositoriesAreBack() async throws {}
    func label(repository: String) -> (name: String, description: String) { ("check", "made by gantry plugin check") }
    func volumeRows(repository: String) -> [VolumeRow] { state.withLock { $0.rows } }

    func introduce(
        _ volume: PluginVolume, uuid: String, label: String, description: String, repository: String
    ) async throws {
        state.withLock {
            $0.rows.append(
                VolumeRow(uuid: uuid, key: volume.key, name: label, description: description, isManaged: true))
        }
    }

    func refresh(_ volume: PluginVolume, repository: String) async throws {}
    func reconcile(_ volumes: [PluginVolume], repository: String) async throws {}
    func forget(key: String, repository: String) async throws {
        state.withLock { state in state.rows.removeAll { $0.key == key } }
    }
    func store(_ space: RepositorySpace, repository: String) async throws {}
    func store(deviceConfig: [String: String], repository: String) async throws {
        state.withLock { $0.deviceConfig = deviceConfig }
    }
}
