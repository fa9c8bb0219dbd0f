/// What a volume's log of changed blocks says. One bit stands for 64 KiB.
public struct VolumeChanges: Sendable, Hashable {
    /// The uuid of the volume that the changes are relative to; nil for the first of a set of logs.
    public var parent: String?
    /// Bytes of the volume.
    public var size: UInt64
    /// The first block in the lowest bit of the first byte. Empty where it was not asked for.
    public var bitmap: [UInt8]
    /// Absolute path of the log.
    public var file: String

    public init(parent: String?, size: UInt64, bitmap: [UInt8], file: String) {
        self.parent = parent
        self.size = size
        self.bitmap = bitmap
        self.file = file
    }
}

/// A manager that keeps logs of changed blocks as files, which data paths of this host write (`VDI_CONFIG_CBT`).
///
/// A volume's log is relative to the log that its `parent` names, which may be another SR's: volumes move.
public protocol ChangeLogKeeper: StorageManager {
    /// Nil for a volume without a log. `bitmap`: with the bitmap.
    func changes(
        _ repository: StorageRepository, _ volume: VolumeID, bitmap: Bool
    ) async throws(StorageError) -> VolumeChanges?
    /// Adds the marks of `other`, if any, to the volume's log, and makes it relative to `parent`, in this order and durably:
    /// it promises what it did or what it is to, whatever happens. `.volumeInUse` while a data path writes the log.
    func mergeChanges(
        _ repository: StorageRepository, _ volume: VolumeID, with other: VolumeChanges?, parent: String?
    ) async throws(StorageError)
}

extension StorageManager {
    public func changeLog(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> String? { nil }

    public func enableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) { throw untracked }

    public func disableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) { throw untracked }

    public func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume { throw untracked }

    public func changedBlocks(
        _ repository: StorageRepository, from: VolumeID, to: VolumeID
    ) async throws(StorageError) -> String { throw untracked }

    private var untracked: StorageError {
        StorageError(.unimplemented, "storage managers of type \(info.type) do not offer VDI_CONFIG_CBT")
    }
}
