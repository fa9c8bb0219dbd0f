public import CoreTypes
public import StorageInterface

/// A manager whose SRs are folders of image files once they are attached: the place differs, the images are the file
/// driver's. What it can do with volumes it can do by that driver.
public protocol FolderBackedManager: StorageManager {
    /// Where its SRs are mounted.
    var mounts: MountFolder { get }
}

extension FolderBackedManager {
    /// The driver of the images.
    static var files: FileStorageManager { FileStorageManager() }

    /// The driver of the images of an SR: it does nothing unless what was attached is still mounted.
    func files(_ repository: StorageRepository) throws(StorageError) -> FileStorageManager {
        FileStorageManager(device: try mounts.noted(repository.uuid))
    }

    /// The SR as the file driver sees it: `device_config:location` is the folder.
    func folder(of repository: StorageRepository) -> StorageRepository {
        folder(of: repository, at: mounts.point(repository.uuid))
    }

    /// The file driver's, under another name.
    static func info(
        type: String, name: String, description: String, configuration: [String: String]
    ) -> StorageManagerInfo {
        var info = files.info
        info.type = type
        info.name = name
        info.description = description
        info.configuration["location"] = nil
        info.configuration.merge(configuration) { _, new in new }
        info.features["SR_PROBE"] = 1
        return info
    }

    /// `repository` with its images at `path`.
    func folder(of repository: StorageRepository, at path: String) -> StorageRepository {
        var folder = repository
        folder.deviceConfig["location"] = path
        return folder
    }

    public func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] {
        Self.files.preferredFormats(configuration)
    }

    public func largestSize(_ format: ImageFormat) -> UInt64 { Self.files.largestSize(format) }

    public func largestSize(_ format: ImageFormat, configuration: [String: String]) -> UInt64 {
        Self.files.largestSize(format, configuration: configuration)
    }

    public func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        try Self.files.roundedSize(size, format: format)
    }

    public func roundedSize(
        _ size: UInt64, format: ImageFormat, configuration: [String: String]
    ) throws(StorageError) -> UInt64 {
        try Self.files.roundedSize(size, format: format, configuration: configuration)
    }

    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        try await files(repository).space(folder(of: repository))
    }

    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await files(repository).scan(folder(of: repository))
    }

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume {
        try await files(repository).createVolume(folder(of: repository), volume)
    }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await files(repository).destroyVolume(folder(of: repository), volume)
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await files(repository).resizeVolume(folder(of: repository), volume, size: size)
    }

    public func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await files(repository).growAttachedVolume(folder(of: repository), volume, size: size)
    }

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        try await files(repository).stat(folder(of: repository), volume)
    }

    public func chain(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> [Volume] {
        try await files(repository).chain(folder(of: repository), volume)
    }

    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        try await files(repository).present(folder(of: repository), locations: locations)
    }

    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await files(repository).snapshotVolume(folder(of: repository), volume, as: new)
    }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await files(repository).cloneVolume(folder(of: repository), volume, as: new)
    }

    public func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume {
        try await files(repository).revertVolume(folder(of: repository), volume, to: snapshot)
    }

    public func statements(_ repository: StorageRepository) async throws(StorageError) -> [String: String] {
        try await files(repository).statements(folder(of: repository))
    }

    public func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await files(repository).beginEpoch(folder(of: repository), volume)
    }

    public func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await files(repository).endEpoch(folder(of: repository), volume)
    }

    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        try await files(repository).attachVolume(folder(of: repository), volume, writable: writable)
    }
}
