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
    func createVolume(_ repository: StorageRepository, _ volume: NewVolume) async throws(StorageError) -> Volume {
        try await base.createVolume(repository, volume)
    }
    func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await base.destroyVolume(repository, volume)
    }
    func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await base.resizeVolume(repository, volume, size: size)
    }
    func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        try await base.stat(repository, volume)
    }
    func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        try await base.attachVolume(repository, volume, writable: writable)
    }
}
