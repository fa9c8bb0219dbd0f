import StorageInterface
import Synchronization

@testable import StoragePlugins

/// Rows in memory, and what else plugins' hosts write down.
final class FakeRows: VolumeRows {
    struct State {
        var rows: [VolumeRow] = []
        var listed: [PluginVolume] = []
        var deviceConfig: [String: String]?
    }

    let state = Mutex(State())

    func untilRepositoriesAreBack() async throws {}
    func label(repository: String) -> (name: String, description: String) { ("the name", "told") }
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
