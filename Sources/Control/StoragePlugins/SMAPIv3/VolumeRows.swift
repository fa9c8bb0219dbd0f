import Foundation
public import StorageInterface

/// What the host of SMAPIv3 plugins, which know nothing of the API, writes down for them: the rows of SRs and VDIs.
public protocol VolumeRows: Sendable {
    /// Returns when what plugins were doing for an earlier toolstack is over; throws when the wait was cancelled.
    func untilLeftoversAreGone() async throws
    /// Returns when the SR with this reference, if it was attached before a restart, is so again or given up; throws when
    /// the wait was cancelled. Who waits must not have the SR's turn, which its attachment needs.
    func untilRepositoryIsBack(_ repository: String) async throws
    /// What the SR with this reference is called.
    func label(repository: String) -> (name: String, description: String)
    /// All VDIs of the SR with this reference.
    func volumeRows(repository: String) -> [VolumeRow]
    /// Before a plugin is told to make a volume.
    func begin(_ making: UnfinishedVolume, repository: String) async throws
    /// The plugin has made nothing, or what it made is gone again or in use.
    func end(_ making: UnfinishedVolume) async throws
    /// A row for a volume that is new; what was begun with it has ended then. Throws when there is one for its key, or one
    /// with its uuid, already.
    func introduce(
        _ volume: PluginVolume, uuid: String, label: String, description: String, repository: String,
        ending making: UnfinishedVolume?
    ) async throws
    /// Sizes as the plugin says now.
    func refresh(_ volume: PluginVolume, repository: String) async throws
    /// The rows become like the listing, which is all that there is: rows for new volumes, none for lost ones that nobody
    /// uses. Volumes of moves and copies stay these' own. New ones that may be what was begun, and has not ended, are
    /// told of, and called so when their names do not say whose they are; nothing is under way then.
    func reconcile(_ volumes: [PluginVolume], repository: String) async throws
    /// The volume with this key is gone.
    func forget(key: String, repository: String) async throws
    func store(_ space: RepositorySpace, repository: String) async throws
    /// What the plugin wants to be attached with from now on, instead of what it was created with.
    func store(deviceConfig: [String: String], repository: String) async throws
}

/// A volume that a plugin was told to make, and of which nobody may have heard: the plugin or the toolstack was killed. It has
/// no key by which it would be known, so that one that a listing has afterwards may be it or not.
public struct UnfinishedVolume: Codable, Sendable, Hashable {
    public enum Kind: String, Codable, Sendable {
        case disk, snapshot, clone
    }

    public let id: String
    public let kind: Kind
    /// Of the new disk, or of the disk that it is made from; its beginning.
    public let name: String

    private static let longest = 256

    public init(_ kind: Kind, name: String) {
        id = UUID().uuidString.lowercased()
        self.kind = kind
        self.name = String(name.prefix(Self.longest))
    }

    /// A new disk has its name from the beginning; what is made from another has what the plugin likes.
    public func mayBe(_ volume: PluginVolume) -> Bool { kind != .disk || volume.name.prefix(Self.longest) == name }
    /// Its name tells nothing of whose it is: there is none, or it is the new disk's, or a copy of the origin's.
    public func isUnnamed(_ volume: PluginVolume) -> Bool {
        volume.name.isEmpty || volume.name.prefix(Self.longest) == name
    }
    public var title: String { Self.titleStart(kind) + name }

    private static func titleStart(_ kind: Kind) -> String {
        kind == .disk ? "unfinished disk " : "unfinished \(kind.rawValue) of "
    }

    /// A row has it from us, and not from who made the disk: no reason for the storage to call the volume so.
    static func isTitle(_ name: String) -> Bool {
        [Kind.disk, .snapshot, .clone].contains { name.hasPrefix(titleStart($0)) }
    }
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
