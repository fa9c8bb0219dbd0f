import BlockIO
public import CoreTypes
import Foundation
public import StorageInterface
import Synchronization

/// The `dummy` manager, for trying out clients: volumes are kept in memory only and read as zeroes. What a guest writes is
/// kept, in a sparse file, while the volume is attached; a restart of the toolstack forgets all volumes. Nothing moves there, where
/// it would be forgotten: `VDI_MIRROR` is missing.
public final class DummyStorageManager: StorageManager {
    /// What it claims to have, bytes.
    private static let capacity: UInt64 = 1 << 50

    /// For the files of attached volumes.
    private let path: String
    /// SR → location → volume.
    private let volumes = Mutex<[String: [String: Volume]]>([:])

    /// `folder`: for the files of attached volumes; what an earlier process left there is removed unless it is in use.
    public init(folder: String) {
        path = folder
    }

    public var info: StorageManagerInfo {
        StorageManagerInfo(
            type: "dummy", name: "dummy", description: "Disks that are only pretended and read as zeroes",
            vendor: "Gantry", copyright: "The Gantry developers", version: "1.0", requiredAPIVersion: "1.1",
            features: [
                "SR_CREATE": 1, "SR_DELETE": 1, "SR_ATTACH": 1, "SR_DETACH": 1, "SR_SCAN": 1, "SR_UPDATE": 1,
                "SR_PROBE": 1, "VDI_CREATE": 1, "VDI_DELETE": 1, "VDI_ATTACH": 1, "VDI_DETACH": 1,
                "VDI_ACTIVATE": 1, "VDI_DEACTIVATE": 1, "VDI_CLONE": 1, "VDI_SNAPSHOT": 1, "VDI_RESIZE": 1,
                "VDI_INTRODUCE": 1, "VDI_UPDATE": 1, "THIN_PROVISIONING": 1,
            ],
            configuration: [:], supportedImageFormats: [.raw])
    }

    // MARK: The repository

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {}

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        let isEmpty = volumes.withLock { all in
            if all[repository.uuid]?.isEmpty == false { return false }
            all[repository.uuid] = nil
            return true
        }
        if !isEmpty { throw StorageError(.repositoryNotEmpty, "the SR still holds disks; destroy them first") }
        try await detach(repository)
    }

    /// Takes away the files that an earlier process left and nobody has open.
    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        let known = volumes.withLock { all -> Set<String> in
            let known = all[repository.uuid] ?? [:]
            all[repository.uuid] = known
            return Set(known.keys)
        }
        let folder = folder(repository)
        try await blocking(repository) { () throws(StorageError) in
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard let volume = try? VolumeName(location: name), !known.contains(volume.uuid) else { continue }
                // An open one is locked.
                guard let file = try? ImageFile(path: folder + "/" + name, access: .readWrite) else { continue }
                unsafe unlink(folder + "/" + name)
                file.close()
            }
            unsafe rmdir(folder)
        }
    }

    /// What guests wrote is gone with it.
    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        let folder = folder(repository)
        try? FileManager.default.removeItem(atPath: folder)
    }

    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        RepositorySpace(total: Self.capacity, free: Self.capacity, used: 0)
    }

    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        let all = volumes.withLock { $0[repository.uuid] ?? [:] }
        return RepositoryScan(volumes: all.values.sorted { $0.location < $1.location }, problems: [:])
    }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        [RepositoryProbe(configuration: deviceConfig, isComplete: true)]
    }

    // MARK: Volumes

    public func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] { [.raw] }
    public func largestSize(_ format: ImageFormat) -> UInt64 { FormatLimits.of(.raw).maximum }
    public func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        try FileStorageManager().roundedSize(size, format: .raw)
    }

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume {
        let new = Volume(
            uuid: volume.uuid, location: volume.uuid, format: .raw, virtualSize: volume.size, physicalSize: 0)
        let isNew = volumes.withLock { $0[repository.uuid, default: [:]].updateValue(new, forKey: new.location) == nil }
        if !isNew { throw StorageError(.volumeExists, "the SR has a disk \(new.location) already") }
        return new
    }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        _ = volumes.withLock { $0[repository.uuid]?.removeValue(forKey: volume.location) }
        if let file = try? file(repository, volume) { unsafe unlink(file) }
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        var found = try await stat(repository, volume)
        guard size >= found.virtualSize else {
            throw StorageError(
                .volumeSize, "VDI Invalid size [opterr=shrinking not allowed: \(found.virtualSize) to \(size) bytes]")
        }
        found.virtualSize = size
        let grown = found
        volumes.withLock { $0[repository.uuid]?[volume.location] = grown }
        return grown
    }

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        guard let found = volumes.withLock({ $0[repository.uuid]?[volume.location] }) else {
            throw StorageError(
                .volumeMissing, "the SR has no disk \(volume.location); restarts forget disks of this type")
        }
        return found
    }

    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        let origin = try await stat(repository, volume)
        var copy = new
        copy.size = origin.virtualSize
        return DerivedVolume(volume: try await createVolume(repository, copy), origin: origin)
    }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume { try await snapshotVolume(repository, volume, as: new) }

    /// A sparse file of the volume's size.
    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        let found = try await stat(repository, volume)
        let (folder, file) = (folder(repository), try file(repository, volume))
        return try await blocking(repository) { () throws(StorageError) in
            do {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw StorageError(.volumeUnavailable, "cannot make \(folder): \(error.localizedDescription)")
            }
            let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0, ftruncate(descriptor, off_t(found.virtualSize)) == 0 else {
                let error = BlockError(call: "open", errno: errno, path: file)
                if descriptor >= 0 { close(descriptor) }
                throw StorageError(error, otherwise: .volumeUnavailable)
            }
            close(descriptor)
            return .image(path: file, format: .raw)
        }
    }

    /// What was written is gone with the file.
    public func detachVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        if let file = try? file(repository, volume) { unsafe unlink(file) }
    }

    private func folder(_ repository: StorageRepository) -> String { path + "/" + repository.uuid }

    private func file(_ repository: StorageRepository, _ volume: VolumeID) throws(StorageError) -> String {
        folder(repository) + "/" + (try VolumeName(uuid: volume.location, format: .raw)).location
    }
}
