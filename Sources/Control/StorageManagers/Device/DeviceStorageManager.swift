public import StorageInterface

/// The manager of SRs that are file systems on block devices, which `SR.create` makes on `device_config:device`. There is
/// one for each kind of file system.
public struct DeviceStorageManager: FolderBackedManager {
    public let info: StorageManagerInfo
    let system: DeviceFileSystem
    public let mounts: MountFolder

    /// `ext`: ext4.
    public static func ext(mounts: MountFolder) -> DeviceStorageManager {
        let system = DeviceFileSystem(type: "ext4", program: "mkfs.ext4") { uuid, label, device in
            ["-q", "-F", "-m", "0", "-U", uuid, "-L", label, device]
        }
        return DeviceStorageManager(
            "ext", name: "Local EXT", description: "Disk images in an ext4 file system on a block device of this host",
            system, mounts)
    }

    /// `xfs`: with reflinks, so that copies of images share blocks.
    public static func xfs(mounts: MountFolder) -> DeviceStorageManager {
        let system = DeviceFileSystem(type: "xfs", program: "mkfs.xfs") { uuid, label, device in
            ["-q", "-f", "-m", "reflink=1,uuid=" + uuid, "-L", label, device]
        }
        return DeviceStorageManager(
            "xfs", name: "Local XFS",
            description: "Disk images in an XFS file system, where copies share blocks, on a block device of this host",
            system, mounts)
    }

    private init(_ type: String, name: String, description: String, _ system: DeviceFileSystem, _ mounts: MountFolder) {
        info = Self.info(
            type: type, name: name, description: description,
            configuration: [BlockDevice.key: "absolute path of the block device that holds the file system"])
        self.system = system
        self.mounts = mounts
    }

    public var fixedConfiguration: Set<String> { [BlockDevice.key] }

    private func onDevice<T: Sendable>(
        _ repository: StorageRepository, _ body: @escaping @Sendable (DeviceRepository) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let (system, mounts) = (system, mounts)
        return try await blocking(repository) { () throws(StorageError) in
            try body(try DeviceRepository(repository, system, mounts))
        }
    }

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.create() }
    }

    public func undoCreation(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.undoCreation() }
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.destroy() }
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.attach() }
        // The file system's uuid says whose it is.
        var folder = folder(of: repository)
        folder.mayBeUnmarked = true
        do throws(StorageError) {
            try await files(repository).attach(folder)
        } catch {
            try? await detach(repository)
            throw error
        }
    }

    /// The device may be gone by now: what is mounted is known by the SR alone.
    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        let mounts = mounts
        try await blocking(repository) { () throws(StorageError) in try mounts.unmount(repository.uuid) }
    }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        try await onDevice(StorageRepository(uuid: "", deviceConfig: deviceConfig)) { (device) throws(StorageError) in
            var found = try device.probe()
            found.configuration = deviceConfig
            return [found]
        }
    }
}
