import BlockIO
import Foundation
public import StorageInterface

/// The `nfs` manager: an SR is a folder named by its uuid below a folder that a server exports. The system's NFS client
/// mounts it.
public struct NFSStorageManager: FolderBackedManager {
    private let mounts: MountFolder
    private let program: String

    /// `program`: mount(8) or what does the same.
    public init(mounts: MountFolder, program: String = "mount") {
        self.mounts = mounts
        self.program = program
    }

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

    public func folder(of repository: StorageRepository) throws(StorageError) -> StorageRepository {
        folder(of: repository, at: mounts.point(repository.uuid))
    }

    /// With the whole export mounted.
    private func inExport<T: Sendable>(
        _ configuration: [String: String], _ body: @escaping @Sendable (String) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let (mounts, program) = (mounts, program)
        let export = try NFSExport(configuration)
        return try await blocking { () throws(StorageError) in
            try mounts.passing(
                { (point) throws(StorageError) in try export.mount(at: point, by: program) }, body)
        }
    }

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await inExport(repository.deviceConfig) { (point) throws(StorageError) in
            try FileRepository(folder(of: repository, at: point + "/" + repository.uuid)).prepare()
        }
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await inExport(repository.deviceConfig) { (point) throws(StorageError) in
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
        try await blocking { () throws(StorageError) in
            if mounts.isMounted(repository.uuid) { return }
            try mounts.mount(repository.uuid) { (point) throws(StorageError) in
                try export.mount(repository.uuid, at: point, by: program)
            }
        }
        do throws(StorageError) {
            try await Self.files.attach(try folder(of: repository))
        } catch {
            try? await detach(repository)
            throw error
        }
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        let mounts = mounts
        try await blocking { () throws(StorageError) in try mounts.unmount(repository.uuid) }
    }

    /// The SRs below the export.
    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        try await inExport(deviceConfig) { (point) throws(StorageError) in
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
