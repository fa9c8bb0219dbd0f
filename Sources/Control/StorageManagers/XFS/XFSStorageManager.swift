public import StorageInterface

/// The `xfs` manager: an SR is an XFS file system that `SR.create` makes on the device `device_config:device`, with
/// reflinks, so that copies of images share blocks.
public struct XFSStorageManager: DeviceStorageManager {
    static let system = DeviceFileSystem(type: "xfs", program: "mkfs.xfs") { uuid, label, device in
        ["-q", "-f", "-m", "reflink=1,uuid=" + uuid, "-L", label, device]
    }
    let mounts: MountFolder

    public init(mounts: MountFolder) { self.mounts = mounts }

    public var info: StorageManagerInfo {
        Self.info(
            type: "xfs", name: "Local XFS",
            description: "Disk images in an XFS file system, where copies share blocks, on a block device of this host")
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
