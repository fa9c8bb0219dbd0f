public import StorageInterface

/// The `ext` manager: an SR is an ext4 file system that `SR.create` makes on the device `device_config:device`.
public struct ExtStorageManager: DeviceStorageManager {
    static let system = DeviceFileSystem(type: "ext4", program: "mkfs.ext4") { uuid, label, device in
        ["-q", "-F", "-m", "0", "-U", uuid, "-L", label, device]
    }
    let mounts: MountFolder

    public init(mounts: MountFolder) { self.mounts = mounts }

    public var info: StorageManagerInfo {
        Self.info(
            type: "ext", name: "Local EXT",
            description: "Disk images in an ext4 file system on a block device of this host")
    }

    public var fixedConfiguration: Set<String> { [BlockDevice.key] }

    public func folder(of repository: StorageRepository) throws(StorageError) -> StorageRepository {
        folder(of: repository, at: mounts.point(repository.uuid))
    }

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await create(repository)
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await destroy(repository)
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) { try await mount(repository) }

    public func detach(_ repository: StorageRepository) async throws(StorageError) { try await unmount(repository) }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] { try await find(deviceConfig) }
}
