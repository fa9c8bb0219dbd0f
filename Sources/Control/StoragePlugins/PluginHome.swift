public import StorageInterface

/// What the hosts of third-party drivers need of the toolstack: sessions for the drivers' calls back, and the rows that
/// drivers write with them.
public protocol PluginHome: Sendable {
    /// The reference of this host.
    var host: String { get }
    /// The reference of the task that the current call is part of; nil: none. Drivers pass it on with what they call.
    var task: String? { get }
    /// The uuid of the SR that this host caches in; nil: it does not.
    var localCache: String? { get }
    /// Returns when clients can call the API, and what drivers were doing for an earlier toolstack is over; throws when the
    /// wait was cancelled.
    func untilAPIAnswers() async throws
    /// Returns when the SR with this reference, if it was attached before a restart, is so again or given up: its driver
    /// may rely on that.
    func untilRepositoryIsBack(_ repository: String) async throws
    /// A superuser's session that may change rows of the SR with this reference, as SMAPIv1's SM-private calls do.
    func openSession(repository: String) async throws -> String
    func closeSession(_ session: String) async
    /// The VDI with this uuid in the SR with this reference, as its row says, and the row's reference.
    func volume(uuid: String, repository: String) -> (volume: Volume, ref: String)?
    /// All VDIs of the SR with this reference.
    func volumes(repository: String) -> [Volume]
    /// What the row of the SR with this reference says.
    func space(repository: String) -> RepositorySpace?
}
