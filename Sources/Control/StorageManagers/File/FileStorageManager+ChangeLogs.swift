public import StorageInterface

extension FileStorageManager: ChangeLogKeeper {
    public func changeLog(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> String? {
        // What a guest writes between its boot and its end does not come to the disk.
        if volume.isInEpoch { return nil }
        return try await changing(repository) { folder throws(StorageError) in
            try folder.usableLog(try folder.find(volume.location).uuid)
        }
    }

    public func enableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in try folder.startLog(volume.location) }
    }

    public func disableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in
            try folder.removeLog(try folder.find(volume.location).uuid)
        }
    }

    public func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume {
        try await changing(repository) { folder throws(StorageError) in try folder.removeData(volume.location) }
    }

    public func changes(
        _ repository: StorageRepository, _ volume: VolumeID, bitmap: Bool
    ) async throws(StorageError) -> VolumeChanges? {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            return try folder.holding(shared: true) { () throws(StorageError) in
                try folder.changes(volume.location, bitmap: bitmap)
            }
        }
    }

    public func mergeChanges(
        _ repository: StorageRepository, _ volume: VolumeID, with other: VolumeChanges?, parent: String?
    ) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in
            try folder.merge(other, into: volume.location, parent: parent)
        }
    }
}

extension ChangeLogKeeper where Self: FolderBackedManager {
    public func changes(
        _ repository: StorageRepository, _ volume: VolumeID, bitmap: Bool
    ) async throws(StorageError) -> VolumeChanges? {
        try await files(repository).changes(folder(of: repository), volume, bitmap: bitmap)
    }

    public func mergeChanges(
        _ repository: StorageRepository, _ volume: VolumeID, with other: VolumeChanges?, parent: String?
    ) async throws(StorageError) {
        try await files(repository).mergeChanges(folder(of: repository), volume, with: other, parent: parent)
    }
}

extension FolderBackedManager {
    public func changeLog(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> String? {
        try await files(repository).changeLog(folder(of: repository), volume)
    }

    public func enableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await files(repository).enableChangeTracking(folder(of: repository), volume)
    }

    public func disableChangeTracking(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) {
        try await files(repository).disableChangeTracking(folder(of: repository), volume)
    }

    public func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume {
        try await files(repository).destroyVolumeData(folder(of: repository), volume)
    }
}

extension DeviceStorageManager: ChangeLogKeeper {}
extension NFSStorageManager: ChangeLogKeeper {}
