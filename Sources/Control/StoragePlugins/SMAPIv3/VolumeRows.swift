public import StorageInterface

/// What the host of SMAPIv3 plugins, which know nothing of the API, writes down for them: the rows of SRs and VDIs.
public protocol VolumeRows: Sendable {
    /// Returns when the SRs that were attached before a restart are so again; throws when the wait was cancelled.
    func untilRepositoriesAreBack() async throws
    /// What the SR with this reference is called.
    func label(repository: String) -> (name: String, description: String)
    /// All VDIs of the SR with this reference.
    func volumeRows(repository: String) -> [VolumeRow]
    /// A row for a volume that is new. Throws when there is one for its key, or one with its uuid, already.
    func introduce(
        _ volume: PluginVolume, uuid: String, label: String, description: String, repository: String
    ) async throws
    /// Sizes as the plugin says now.
    func refresh(_ volume: PluginVolume, repository: String) async throws
    /// The rows become like the listing, which is all that there is: rows for new volumes, none for lost ones that nobody
    /// uses. Volumes of moves and copies stay these' own.
    func reconcile(_ volumes: [PluginVolume], repository: String) async throws
    /// The volume with this key is gone.
    func forget(key: String, repository: String) async throws
    func store(_ space: RepositorySpace, repository: String) async throws
    /// What the plugin wants to be attached with from now on, instead of what it was created with.
    func store(deviceConfig: [String: String], repository: String) async throws
}

/// A VDI as its row says.
public struct VolumeRow: Sendable, Hashable {
    public var uuid: String
    public var key: String
    public var name: String
    public var description: String
    /// It is a disk; what moves and copies are filling is none yet.
    public var isManaged: Bool

    public init(uuid: String, key: String, name: String, description: String, isManaged: Bool) {
        self.uuid = uuid
        self.key = key
        self.name = name
        self.description = description
        self.isManaged = isManaged
    }
}
