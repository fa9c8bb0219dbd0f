import StorageInterface
import Synchronization

@testable import StoragePlugins

/// A toolstack that keeps a few rows in memory; drivers under test do not call it back.
final class FakeHome: PluginHome {
    private struct State {
        var volumes: [Volume] = []
        var coming: [Volume] = []
        var sessions: Set<String> = []
        var opened = 0
        var whileNotAnswering: (@Sendable () -> Void)?
        var task: String?
        var localCache: String?
    }

    private let state = Mutex(State())
    let host = "OpaqueRef:host"

    func add(_ volume: Volume) { state.withLock { $0.volumes.append(volume) } }
    /// Makes the row in the next call, as if the driver did.
    func addInNextCall(_ volume: Volume) { state.withLock { $0.coming.append(volume) } }
    /// Sessions that were opened and not closed, and all that were opened.
    var sessions: (open: Int, all: Int) { state.withLock { ($0.sessions.count, $0.opened) } }

    /// What happens while the API, and the end of an earlier toolstack's runs, are waited for.
    func whileNotAnswering(_ body: @escaping @Sendable () -> Void) { state.withLock { $0.whileNotAnswering = body } }
    func set(task: String?, localCache: String?) { state.withLock { ($0.task, $0.localCache) = (task, localCache) } }
    var task: String? { state.withLock { $0.task } }
    var localCache: String? { state.withLock { $0.localCache } }

    func untilAPIAnswers() async throws { state.withLock { $0.whileNotAnswering }?() }

    func openSession(repository: String) async throws -> String {
        state.withLock {
            $0.opened += 1
            $0.volumes += $0.coming
            $0.coming = []
            let session = "OpaqueRef:session\($0.opened)"
            $0.sessions.insert(session)
            return session
        }
    }

    func closeSession(_ session: String) async { _ = state.withLock { $0.sessions.remove(session) } }
    func untilRepositoryIsBack(_ repository: String) async throws {}

    func volume(uuid: String, repository: String) -> (volume: Volume, ref: String)? {
        state.withLock { $0.volumes.first { $0.uuid == uuid } }.map { ($0, "OpaqueRef:vdi") }
    }
    func volumes(repository: String) -> [Volume] { state.withLock { $0.volumes } }
    func space(repository: String) -> RepositorySpace? { RepositorySpace(total: 30, free: 20, used: 10) }
}
