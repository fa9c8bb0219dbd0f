import APITypes
import PoolDatabase
import StorageInterface
import StoragePlugins
import Synchronization

/// The toolstack as third-party drivers meet it.
final class DriverHome: PluginHome {
    private let database: PoolDatabase
    private let ownHost: Ref<APITypes.Host>
    private let sessions = Mutex<Sessions?>(nil)
    private let areLeftoversGone = Atomic<Bool>(false)
    /// SRs that are not attached again yet; nil: which these are is not known.
    private let missing = Mutex<Set<String>?>(nil)

    init(database: PoolDatabase, host: Ref<APITypes.Host>) {
        self.database = database
        ownHost = host
    }

    var host: String { ownHost.opaque }

    /// Work that goes on in the background after its call has ended is no part of it.
    var task: String? {
        let task = CurrentTask.ref
        guard let row = database.read({ $0.row(task) }), row[XenTask.status] == .pending else { return nil }
        return task.opaque
    }

    var localCache: String? {
        database.read { reader in
            reader.row(ownHost).flatMap { reader.row($0[APITypes.Host.localCacheSR]) }.map { $0[SR.uuid] }
        }
    }

    /// From now on drivers can call back.
    func open(_ sessions: Sessions) { self.sessions.withLock { $0 = sessions } }

    /// Whether drivers can be asked.
    var isOpen: Bool { sessions.withLock { $0 != nil } && areLeftoversGone.load(ordering: .acquiring) }

    /// What an earlier toolstack had drivers do is over.
    func leftoversAreGone() { areLeftoversGone.store(true, ordering: .releasing) }

    /// The SRs that were plugged when the toolstack started, by reference: each is to be attached again, or given up.
    func repositoriesComeBack(_ repositories: Set<String>) { missing.withLock { $0 = repositories } }

    func repositoryIsBack(_ repository: String) { missing.withLock { _ = $0?.remove(repository) } }

    func untilAPIAnswers() async throws {
        while !isOpen { try await Task.sleep(for: .milliseconds(20)) }
    }

    func untilLeftoversAreGone() async throws {
        while !areLeftoversGone.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(20)) }
    }

    func untilRepositoryIsBack(_ repository: String) async throws {
        while missing.withLock({ $0?.contains(repository) ?? true }) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// `_sm_session` is what the SM-private messages look at, and `_sm_held` what `tapdisk-pause` does.
    func openSession(repository: String) async throws -> String {
        guard let sessions = sessions.withLock({ $0 }) else { throw APIError("HOST_STILL_BOOTING") }
        let session = try await sessions.open(.superuser(name: "__sm__backend"), originator: "SM")
        var config = [DriverCallbacks.sessionKey: repository]
        let held = PausedDisk.held.sorted()
        if !held.isEmpty { config[DriverCallbacks.heldKey] = held.joined(separator: ",") }
        try await database.transaction { [config] tx in try tx.set(session, Session.otherConfig, config) }
        return session.opaque
    }

    func closeSession(_ session: String) async {
        try? await sessions.withLock { $0 }?.logout(Ref(session))
    }

    func volume(uuid: String, repository: String) -> (volume: Volume, ref: String)? {
        guard let row = database.read({ $0.find(VDI.self, uuid: uuid) }), row[VDI.sr].opaque == repository else {
            return nil
        }
        return (Self.volume(row), row.ref)
    }

    func volumes(repository: String) -> [Volume] {
        let sr = Ref<SR>(repository)
        return database.read { $0.rows(VDI.self, where: VDI.sr, is: sr) }.map(Self.volume)
    }

    func space(repository: String) -> RepositorySpace? {
        guard let row = database.read({ $0.row(Ref<SR>(repository)) }) else { return nil }
        let total = UInt64(clamping: row[SR.physicalSize])
        let used = UInt64(clamping: row[SR.physicalUtilisation])
        return RepositorySpace(total: total, free: total > used ? total - used : 0, used: used)
    }

    private static func volume(_ row: Row) -> Volume {
        Volume(
            uuid: row[VDI.uuid], location: row[VDI.location], format: StorageContext.declaredFormat(row),
            virtualSize: UInt64(clamping: row[VDI.virtualSize]),
            physicalSize: UInt64(clamping: row[VDI.physicalUtilisation]))
    }
}
