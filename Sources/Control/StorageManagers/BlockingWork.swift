import BlockIO
import Dispatch
import StorageInterface

/// Runs blocking storage work on a thread of its own queue, so that the cooperative pool never waits for a disk.
func blocking<T: Sendable>(
    _ body: @escaping @Sendable () throws(StorageError) -> T
) async throws(StorageError) -> T {
    let result: Result<T, StorageError> = await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            do throws(StorageError) {
                continuation.resume(returning: .success(try body()))
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }
    return try result.get()
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
