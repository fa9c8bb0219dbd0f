public import CoreTypes
import Foundation
public import StorageInterface

/// The `iso` manager: an SR is a folder of CD images, on this host or on an NFS server, that others put there. It reads
/// them and changes nothing.
public struct ISOStorageManager: StorageManager {
    private let mounts: MountFolder
    private let program: String
    private let fileSystems: Set<String>

    /// `program`: mount(8) or what does the same, and makes mounts of the types `fileSystems`.
    public init(
        mounts: MountFolder, program: String = "mount", fileSystems: Set<String> = NFSStorageManager.fileSystems
    ) {
        self.mounts = mounts
        self.program = program
        self.fileSystems = fileSystems
    }

    public var info: StorageManagerInfo {
        StorageManagerInfo(
            type: "iso", name: "ISO", description: "CD images in a folder, read only", vendor: "Gantry",
            copyright: "The Gantry developers", version: "1.0", requiredAPIVersion: "1.0",
            features: [
                "SR_CREATE": 1, "SR_DELETE": 1, "SR_ATTACH": 1, "SR_DETACH": 1, "SR_SCAN": 1, "SR_UPDATE": 1,
                "SR_PROBE": 1, "VDI_ATTACH": 1, "VDI_DETACH": 1, "VDI_ACTIVATE": 1, "VDI_DEACTIVATE": 1,
                "VDI_UPDATE": 1, "VDI_INTRODUCE": 1,
            ],
            configuration: [
                "location": "absolute path of a folder of this host, or server:/path of an NFS server",
                "legacy_mode": "true for a folder of this host",
                "type": "nfs_iso for an NFS server",
                "server": "the NFS server, instead of location", "serverpath": "the folder that it exports",
                "iso_path": "folder below that holds the images",
                "options": "further mount options", "nfsversion": "3, 4, 4.0, 4.1 or 4.2",
            ],
            supportedImageFormats: [.raw])
    }

    public var fixedConfiguration: Set<String> { Set(info.configuration.keys) }

    /// What device_config says.
    private enum Place {
        case folder(String)
        case export(NFSExport, folder: String)
    }

    private static func place(_ configuration: [String: String]) throws(StorageError) -> Place {
        let below = (configuration["iso_path"] ?? "").split(separator: "/").map(String.init)
        guard !below.contains(".."), !below.contains(where: { $0.contains("\0") }) else {
            throw StorageError(.imageFolderInvalid, "device-config:iso_path leads out of the folder")
        }
        let folder = below.map { "/" + $0 }.joined()
        if configuration["server"] != nil || configuration["serverpath"] != nil {
            return .export(try NFSExport(configuration, isReadOnly: true), folder: folder)
        }
        guard let location = configuration["location"], !location.isEmpty else {
            throw StorageError(
                .imageFolderMissing, "The request is missing the location parameter: device-config:location")
        }
        if location.hasPrefix("/"), !location.contains("\0") { return .folder(location + folder) }
        guard let colon = location.range(of: ":/"), configuration["legacy_mode"] != "true" else {
            throw StorageError(
                .imageFolderInvalid,
                "device-config:location is neither an absolute path nor server:/path: '\(location)'")
        }
        let export = try NFSExport(
            server: String(location[..<colon.lowerBound]),
            path: String(location[location.index(after: colon.lowerBound)...]), options: configuration["options"] ?? "",
            version: configuration["nfsversion"] ?? "", isReadOnly: true)
        return .export(export, folder: folder)
    }

    private func folder(_ repository: StorageRepository) throws(StorageError) -> ImageFolder {
        switch try Self.place(repository.deviceConfig) {
        case .folder(let path): ImageFolder(path: path)
        case .export(_, let folder): ImageFolder(path: mounts.point(repository.uuid) + folder)
        }
    }

    private func inFolder<T: Sendable>(
        _ repository: StorageRepository, isAttached: Bool = true, within limit: Duration? = nil,
        _ body: @escaping @Sendable (ImageFolder) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        let mounts = mounts
        let folder = try folder(repository)
        return try await blocking(repository, within: limit) { () throws(StorageError) in
            // Without its mount the folder would be another, and empty.
            if isAttached, case .export = try Self.place(repository.deviceConfig) {
                try MountFolder.require(try mounts.noted(repository.uuid), at: mounts.point(repository.uuid))
            }
            return try body(folder)
        }
    }

    // MARK: The repository

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        switch try Self.place(repository.deviceConfig) {
        case .folder:
            try await inFolder(repository, isAttached: false) { (folder) throws(StorageError) in try folder.check() }
        // Mounted, and so tried, when it is attached: there is nothing to make.
        case .export: break
        }
    }

    /// The images are others'.
    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {}

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        let place = try Self.place(repository.deviceConfig)
        let (mounts, program) = (mounts, program)
        let types = fileSystems
        try await inFolder(repository, isAttached: false) { (folder) throws(StorageError) in
            guard case .export(let export, _) = place else { return try folder.check() }
            if try !mounts.isMounted(repository.uuid, from: export.source(), as: types) {
                do throws(StorageError) {
                    try mounts.mount(repository.uuid) { (point) throws(StorageError) in
                        try export.mount(at: point, by: program)
                    }
                } catch {
                    throw error.fault == .mount ? StorageError(.imageFolderMount, error.message) : error
                }
            }
            do throws(StorageError) {
                try mounts.note(repository.uuid)
                try folder.check()
            } catch {
                try? mounts.unmount(repository.uuid)
                throw error
            }
        }
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {
        let mounts = mounts
        try await blocking(repository, within: RepositoryThreads.unmount) { () throws(StorageError) in
            try mounts.unmount(repository.uuid)
        }
    }

    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        try await inFolder(repository, within: RepositoryThreads.look) { (folder) throws(StorageError) in
            let used = try folder.scan().volumes.reduce(UInt64(0)) { sum, volume in
                let (next, overflow) = sum.addingReportingOverflow(volume.physicalSize)
                return overflow ? .max : next
            }
            // Nothing can be put there through the SR.
            return RepositorySpace(total: used, free: 0, used: used)
        }
    }

    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await inFolder(repository, within: RepositoryThreads.look) { (folder) throws(StorageError) in
            try folder.scan()
        }
    }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        if case .folder(let path) = try Self.place(deviceConfig) {
            let place = StorageRepository(uuid: "", deviceConfig: deviceConfig)
            try await blocking(place, within: RepositoryThreads.look) { () throws(StorageError) in
                try ImageFolder(path: path).check()
            }
        }
        return [RepositoryProbe(configuration: deviceConfig, isComplete: true)]
    }

    // MARK: Volumes

    public func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] { [.raw] }
    public func largestSize(_ format: ImageFormat) -> UInt64 { UInt64(Int64.max) }
    public func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 { size }

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume { throw Self.readOnly }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        throw Self.readOnly
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume { throw Self.readOnly }

    private static let readOnly = StorageError(
        .unimplemented, "a folder of CD images is read only; put images there by other means, then scan the SR")

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        try await inFolder(repository, within: RepositoryThreads.look) { (folder) throws(StorageError) in
            try folder.volume(volume.location)
        }
    }

    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        try await inFolder(repository) { (folder) throws(StorageError) in
            if writable { throw Self.readOnly }
            let found = try folder.volume(volume.location)
            return .image(path: folder.path + "/" + found.location, format: .raw)
        }
    }
}
