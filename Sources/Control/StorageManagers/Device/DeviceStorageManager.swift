import StorageInterface

/// What the managers of SRs on block devices share: they differ in the file system.
protocol DeviceStorageManager: FolderBackedManager {
    static var system: DeviceFileSystem { get }
    var mounts: MountFolder { get }
}

extension DeviceStorageManager {
    static func info(type: String, name: String, description: String) -> StorageManagerInfo {
        info(
            type: type, name: name, description: description,
            configuration: [BlockDevice.key: "absolute path of the block device that holds the file system"])
    }

    private func onDevice<T: Sendable>(
        _ repository: StorageRepository, _ body: @escaping @Sendable (DeviceRepository) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let mounts = mounts
        return try await blocking { () throws(StorageError) in
            try body(try DeviceRepository(repository, Self.system, mounts))
        }
    }

    func create(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.create() }
    }

    func destroy(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.destroy() }
    }

    func mount(_ repository: StorageRepository) async throws(StorageError) {
        try await onDevice(repository) { (device) throws(StorageError) in try device.attach() }
        do throws(StorageError) {
            try await Self.files.attach(try folder(of: repository))
        } catch {
            try? await unmount(repository)
            throw error
        }
    }

    /// The device may be gone by now: what is mounted is known by the SR alone.
    func unmount(_ repository: StorageRepository) async throws(StorageError) {
        let mounts = mounts
        try await blocking { () throws(StorageError) in try mounts.unmount(repository.uuid) }
    }

    func find(_ deviceConfig: [String: String]) async throws(StorageError) -> [RepositoryProbe] {
        try await onDevice(StorageRepository(uuid: "", deviceConfig: deviceConfig)) { (device) throws(StorageError) in
            var found = try device.probe()
            found.configuration = deviceConfig
            return [found]
        }
    }
}
