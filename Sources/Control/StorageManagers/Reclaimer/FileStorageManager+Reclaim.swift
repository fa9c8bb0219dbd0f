public import StorageInterface

extension FileStorageManager: ChainedStorageManager {
    public func surveyChains(_ repository: StorageRepository) async throws(StorageError) -> ChainSurvey {
        // Who takes the SR away waits for it, also where the storage does not answer any more.
        try await blocking(repository, within: RepositoryThreads.patience) { () throws(StorageError) in
            try open(repository).survey()
        }
    }

    public func reclaim(
        _ step: ReclaimStep, in repository: StorageRepository, pace: ReclaimPace
    ) async throws(StorageError) -> ReclaimResult {
        try await blocking(repository) { () throws(StorageError) in try open(repository).reclaim(step, pace) }
    }
}

extension ChainedStorageManager where Self: FolderBackedManager {
    public func surveyChains(_ repository: StorageRepository) async throws(StorageError) -> ChainSurvey {
        try await files(repository).surveyChains(folder(of: repository))
    }

    public func reclaim(
        _ step: ReclaimStep, in repository: StorageRepository, pace: ReclaimPace
    ) async throws(StorageError) -> ReclaimResult {
        try await files(repository).reclaim(step, in: folder(of: repository), pace: pace)
    }
}

extension DeviceStorageManager: ChainedStorageManager {}
extension NFSStorageManager: ChainedStorageManager {}
