import CoreTypes
import StorageInterface
import StorageManagers

/// A driver of the older kind: it declares vhd and raw, and everything else is the file driver's.
struct VHDOnlyManager: StorageManager {
    private let base = FileStorageManager()

    var info: StorageManagerInfo {
        var info = base.info
        info.supportedImageFormats = [.vhd, .raw]
        return info
    }

    func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        try base.roundedSize(size, format: format)
    }
    func largestSize(_ format: ImageFormat) -> UInt64 { base.largestSize(format) }
    func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] { [.vhd, .raw] }
    func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await base.createRepository(repository)
    }
    func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await base.destroyRepository(repository)
    }
    func attach(_ repository: StorageRepository) async throws(StorageError) { try await base.attach(repository) }
    func detach(_ repository: StorageRepository) async throws(StorageError) { try await base.detach(repository) }
    func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        try await base.space(repository)
    }
    func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await base.scan(repository)
    }
    func createVolume(
        _ repository: StorageRepository, uuid: String, size: UInt64, format: ImageFormat
    ) async throws(StorageError) -> Volume {
        try await base.createVolume(repository, uuid: uuid, size: size, format: format)
    }
    func destroyVolume(_ repository: StorageRepository, location: String) async throws(StorageError) {
        try await base.destroyVolume(repository, location: location)
    }
    func resizeVolume(
        _ repository: StorageRepository, location: String, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await base.resizeVolume(repository, location: location, size: size)
    }
    func stat(_ repository: StorageRepository, location: String) async throws(StorageError) -> Volume {
        try await base.stat(repository, location: location)
    }
    func image(_ repository: StorageRepository, location: String) throws(StorageError) -> VolumeImage {
        try base.image(repository, location: location)
    }
}
