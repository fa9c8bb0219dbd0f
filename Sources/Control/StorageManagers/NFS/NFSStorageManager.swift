import BlockIO
import Foundation
public import StorageInterface
import Synchronization

/// The `nfs` manager: an SR is a folder named by its uuid below a folder that a server exports. The system's NFS client
/// mounts it.
public struct NFSStorageManager: FolderBackedManager {
    public let mounts: MountFolder
    private let program: String

    /// What the kernel calls its file systems.
    private let fileSystems: Set<String>

    /// `program`: mount(8) or what does the same, and makes mounts of the types `fileSystems`.
    public init(
        mounts: MountFolder, program: String = "mount", fileSystems: Set<String> = NFSStorageManager.fileSystems
    ) {
        self.mounts = mounts
        self.program = program
        self.fileSystems = fileSystems
    }

    public static let fileSystems: Set<String> = ["nfs", "nfs4"]

    public var info: StorageManagerInfo {
        Self.info(
            type: "nfs", name: "NFS", description: "Disk images as files in a folder of an NFS server",
            configuration: [
                "server": "name or address of the server", "serverpath": "the folder that it exports",
                "options": "further mount options",
                "nfsversion": "3, 4, 4.0, 4.1 or 4.2; what both sides can when absent",
            ])
    }

    public var fixedConfiguration: Set<String> { NFSExport.keys }

    /// With the whole export mounted.
    private func inExport<T: Sendable>(
        _ repository: StorageRepository, _ body: @escaping @Sendable (String) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let (mounts, program) = (mounts, program)
        let export = try NFSExport(repository.deviceConfig)
        return try await blocking(repository) { () throws(StorageError) in
            try mounts.passing(
                { (point) throws(StorageError) in try export.mount(at: point, by: program) }, body)
        }
    }

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        let isMade = Mutex(false)
        do throws(StorageError) {
            try await inExport(repository) { (point) throws(StorageError) in
                isMade.withLock { $0 = true }
                try FileRepository(folder(of: repository, at: point + "/" + repository.uuid)).prepare()
            }
        } catch {
            var told = error
            told.leavesSomething = isMade.withLock { $0 }
            throw told
        }
    }

    public func undoCreation(_ repository: StorageRepository) async throws(StorageError) {
        // A passing mount may be left of it.
        try await inExport(repository) { (point) throws(StorageError) in
            let path = point + "/" + repository.uuid
            guard FileManager.default.fileExists(atPath: path) else { return }
            try FileRepository(folder(of: repository, at: path)).undoCreation()
            // One that holds anything else stays.
            unsafe rmdir(path)
        }
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await inExport(repository) { (point) throws(StorageError) in
            let path = point + "/" + repository.uuid
            guard FileManager.default.fileExists(atPath: path) else { return }
            let folder = try FileRepository(folder(of: repository, at: path))
            try folder.requireOwn()
            let scan = try folder.scan()
            guard scan.volumes.isEmpty, scan.problems.isEmpty else {
                throw StorageError(.repositoryNotEmpty, "the SR's folder on the server is not empty")
            }
            try folder.removeMarker()
            guard unsafe rmdir(path) == 0 else {
                throw StorageError(BlockError(call: "rmdir", errno: errno, path: path), otherwise: .repositoryCreation)
            }
        }
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        let (mounts, program) = (mounts, program)
        let export = try NFSExport(repository.deviceConfig)
        let types = fileSystems
        try await blocking(repository) { () throws(StorageError) in
            let source = export.source(repository.uuid)
            if try !mounts.isMounted(repository.uuid, from: source, as: types) {
                try mounts.mount(repository.uuid) { (point) throws(StorageError) in
                    try export.mount(repository.uuid, at: point, by: program)
                }
            }
            try mounts.note(repository.uuid)
        }
        do throws(StorageError) {
            try await files(repository).attach(folder(of: repository))
        } catch {
            try? await detach(repository)
            throw error
        }
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        let mounts = mounts
        try await blocking(repository, within: RepositoryThreads.unmount) { () throws(StorageError) in
            try mounts.unmount(repository.uuid)
        }
    }

    /// The SRs below the export.
    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        try await inExport(StorageRepository(uuid: "", deviceConfig: deviceConfig)) { (point) throws(StorageError) in
            var found = [RepositoryProbe(configuration: deviceConfig, isComplete: true)]
            let names = (try? FileManager.default.contentsOfDirectory(atPath: point)) ?? []
            for name in names.sorted() {
                let repository = StorageRepository(uuid: name, deviceConfig: ["location": point + "/" + name])
                guard let folder = try? FileRepository(repository), (try? folder.owner()) == name else { continue }
                found.append(
                    RepositoryProbe(
                        configuration: deviceConfig, isComplete: true, uuid: name, space: try? folder.space()))
            }
            return found
        }
    }
}
