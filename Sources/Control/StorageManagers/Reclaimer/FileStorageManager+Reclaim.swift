public import StorageInterface

extension FileStorageManager: ChainedStorageManager {
    public func surveyChains(_ repository: StorageRepository) async throws(StorageError) -> ChainSurvey {
        try await blocking { () throws(StorageError) in try FileRepository(repository).survey() }
    }

    public func reclaim(
        _ step: ReclaimStep, in repository: StorageRepository, pace: ReclaimPace
    ) async throws(StorageError) -> ReclaimResult {
        try await blocking { () throws(StorageError) in try FileRepository(repository).reclaim(step, pace) }
    }
}

extension ChainedStorageManager where Self: FolderBackedManager {
    public func surveyChains(_ repository: StorageRepository) async throws(StorageError) -> ChainSurvey {
        try await Self.files.surveyChains(try folder(of: repository))
    }

    public func reclaim(
        _ step: ReclaimStep, in repository: StorageRepository, pace: ReclaimPace
    ) async throws(StorageError) -> ReclaimResult {
        try await Self.files.reclaim(step, in: try folder(of: repository), pace: pace)
    }
}

extension DeviceStorageManager: ChainedStorageManager {}
extension NFSStorageManager: ChainedStorageManager {}
