import BlockIO
import StorageInterface

/// Runs blocking work on a repository's storage on one of its threads, so that the cooperative pool never waits for a disk.
/// `limit`: for what only looks, and waits for nobody else's work.
func blocking<T: Sendable>(
    _ repository: StorageRepository, within limit: Duration? = nil,
    _ body: @escaping @Sendable () throws(StorageError) -> T
) async throws(StorageError) -> T {
    // A place that is looked at may be no repository.
    try await RepositoryThreads.run(on: repository.uuid.isEmpty ? "probe" : repository.uuid, within: limit, body)
}

extension StorageError {
    /// A device's or image's error as the driver reports it: the full file system and the missing file keep their own
    /// numbers, the rest gets `fault`.
    init(_ error: BlockError, otherwise fault: Fault) {
        switch error.code {
        case .noSpace: self.init(.noSpace, error.description)
        case .notFound: self.init(.volumeMissing, error.description)
        case .busy: self.init(.volumeInUse, error.description)
        case .limitExceeded: self.init(.volumeSize, error.description)
        default: self.init(fault, error.description)
        }
    }
}

/// Rethrows a `BlockError` of `body` as a `StorageError`.
func reporting<T>(
    _ fault: StorageError.Fault, _ body: () throws(BlockError) -> T
) throws(StorageError) -> T {
    do throws(BlockError) {
        return try body()
    } catch {
        throw StorageError(error, otherwise: fault)
    }
}
