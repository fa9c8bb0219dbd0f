import BlockIO
public import CoreTypes
import DiskImages
public import StorageInterface

/// The `file` manager: an SR is a folder that exists already, each VDI one file in it, `<uuid>.raw`, `.vhd` or `.qcow2`.
/// All methods may be called at once for different SRs.
public struct FileStorageManager: StorageManager {
    /// What the folder must be on: the device that was mounted there. Nil where nothing is known of it.
    private let device: UInt?

    public init() { self.init(device: nil) }

    init(device: UInt?) { self.device = device }

    func open(_ repository: StorageRepository) throws(StorageError) -> FileRepository {
        try FileRepository(repository, device: device)
    }

    public var info: StorageManagerInfo {
        StorageManagerInfo(
            type: "file", name: "File", description: "Disk images as files in a folder of this host",
            vendor: "Gantry", copyright: "The Gantry developers", version: "1.0", requiredAPIVersion: "1.0",
            features: [
                "SR_CREATE": 1, "SR_DELETE": 1, "SR_ATTACH": 1, "SR_DETACH": 1, "SR_SCAN": 1, "SR_UPDATE": 1,
                "VDI_CREATE": 1, "VDI_DELETE": 1, "VDI_ATTACH": 1, "VDI_DETACH": 1, "VDI_ACTIVATE": 1,
                "VDI_DEACTIVATE": 1, "VDI_RESIZE": 1, "VDI_UPDATE": 1, "VDI_MIRROR": 1, "VDI_INTRODUCE": 1,
                "THIN_PROVISIONING": 1, "VDI_RESIZE_ONLINE": 1,
                "VDI_RESET_ON_BOOT": 2, "VDI_SNAPSHOT": 1, "VDI_CLONE": 1, "VDI_REVERT": 1, "SR_PROBE": 1,
                "VDI_CONFIG_CBT": 1,
            ],
            configuration: [
                "location": "absolute path of the folder that holds the images",
                FormatPreference.key: "comma-separated image formats for new disks, best first (raw, vhd, qcow2)",
                FormatLimits.key: "the largest virtual size of qcow2 disks, as in 32TiB; 16TiB when absent",
                FileRepository.allocationKey: "thin, or thick: raw disks take all their space when they are made",
            ],
            supportedImageFormats: [.vhd, .qcow2, .raw])
    }

    public func preferredFormats(_ configuration: [String: String]) -> [ImageFormat] {
        FormatPreference.read(configuration, supported: info.supportedImageFormats)
    }

    public var fixedConfiguration: Set<String> { ["location"] }

    public func largestSize(_ format: ImageFormat) -> UInt64 { largestSize(format, configuration: [:]) }

    public func largestSize(_ format: ImageFormat, configuration: [String: String]) -> UInt64 {
        FormatLimits.of(format, configuration).maximum
    }

    public func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64 {
        try roundedSize(size, format: format, configuration: [:])
    }

    public func roundedSize(
        _ size: UInt64, format: ImageFormat, configuration: [String: String]
    ) throws(StorageError) -> UInt64 {
        let limits = FormatLimits.of(format, configuration)
        let wanted = max(size, limits.minimum)
        guard let rounded = wanted.roundedUp(to: limits.unit), rounded <= limits.maximum else {
            throw StorageError(
                .volumeSize,
                "VDI Invalid size [opterr=a \(format.rawValue) VDI can have \(limits.minimum) to \(limits.maximum) bytes, "
                    + "not \(size)]")
        }
        return rounded
    }

    public func createRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await blocking(repository) { () throws(StorageError) in
            try open(repository).prepare()
        }
    }

    public func undoCreation(_ repository: StorageRepository) async throws(StorageError) {
        try await blocking(repository) { () throws(StorageError) in try open(repository).undoCreation() }
    }

    public func destroyRepository(_ repository: StorageRepository) async throws(StorageError) {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            try folder.requireOwn()
            guard try folder.scan().volumes.isEmpty else {
                throw StorageError(.repositoryNotEmpty, "\(folder.path) still holds disk images; destroy them first")
            }
            try folder.removeMarker()
        }
    }

    public func attach(_ repository: StorageRepository) async throws(StorageError) {
        try await blocking(repository) { () throws(StorageError) in try open(repository).check() }
    }

    public func detach(_ repository: StorageRepository) async throws(StorageError) {}

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] {
        let place = StorageRepository(uuid: "", deviceConfig: deviceConfig)
        return try await blocking(place, within: RepositoryThreads.look) { () throws(StorageError) in
            let folder = try open(place)
            let owner = try folder.owner()
            return [
                RepositoryProbe(
                    configuration: deviceConfig, isComplete: true, uuid: owner, space: try folder.space())
            ]
        }
    }

    public func statements(_ repository: StorageRepository) async throws(StorageError) -> [String: String] {
        try await blocking(repository) { () throws(StorageError) in
            let format: ImageFormat = try open(repository).sharesBlocks() ? .raw : .qcow2
            return [FileRepository.rawSnapshotKey: format.rawValue]
        }
    }

    public func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace {
        try await blocking(repository, within: RepositoryThreads.look) { () throws(StorageError) in
            try open(repository).space()
        }
    }

    public func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            try folder.requireMarked()
            // Where an image gets another name meanwhile, a reading of the folder may show neither.
            return try folder.holding(shared: true) { () throws(StorageError) in try folder.scan() }
        }
    }

    public func createVolume(
        _ repository: StorageRepository, _ volume: NewVolume
    ) async throws(StorageError) -> Volume {
        let format = volume.format ?? preferredFormats(repository.deviceConfig).first ?? info.supportedImageFormats[0]
        return try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            try folder.requireMarked()
            return try folder.create(uuid: volume.uuid, size: volume.size, format: format)
        }
    }

    public func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in try folder.remove(volume.location) }
    }

    public func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await changing(repository) { folder throws(StorageError) in
            try folder.growInPlace(volume.location, to: size)
        }
    }

    public func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume {
        try await changing(repository) { folder throws(StorageError) in
            try folder.growInPlace(volume.location, to: size)
        }
    }

    public func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume {
        try await blocking(repository, within: RepositoryThreads.look) { () throws(StorageError) in
            try open(repository).stat(volume.location)
        }
    }

    public func chain(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> [Volume] {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            return try folder.holding(shared: true) { () throws(StorageError) -> [Volume] in
                // What is left of a snapshot stands on nothing.
                if FileRepository.logUUID(volume.location) != nil { return [try folder.stat(volume.location)] }
                return try folder.chain(try folder.find(volume.location))
            }
        }
    }

    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        try await blocking(repository, within: RepositoryThreads.look) { () throws(StorageError) in
            let folder = try open(repository)
            try folder.requireMarked()
            return Set(locations.filter(folder.holds))
        }
    }

    public func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            return try folder.holding(shared: true) { () throws(StorageError) in
                let name = try folder.find(volume.location)
                if volume.isInEpoch { return try folder.epochAccess(name) }
                if writable {
                    var isHidden = name.isBase
                    if !isHidden, folder.exists(name) { isHidden = try folder.stat(name).isHidden }
                    if isHidden {
                        throw StorageError(.volumeUnavailable, "\(name.location) holds what other disks stand on")
                    }
                    try folder.requireChildless(name, .volumeUnavailable)
                }
                let parents = try folder.parents(of: name)
                if parents.isEmpty { return .image(path: folder.file(name), format: name.format) }
                return .chain(
                    VolumeImage(path: folder.file(name), format: name.format),
                    parents: parents.map { VolumeImage(path: folder.file($0), format: $0.format) })
            }
        }
    }

    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await changing(repository) { folder throws(StorageError) in
            try folder.snapshot(volume.location, as: new.uuid, fault: .volumeSnapshot, takesLog: true)
        }
    }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume {
        try await changing(repository) { folder throws(StorageError) in
            try folder.snapshot(volume.location, as: new.uuid, fault: .volumeClone)
        }
    }

    public func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume {
        try await changing(repository) { folder throws(StorageError) in
            try folder.revert(volume.location, to: snapshot.location)
        }
    }

    public func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in try folder.beginEpoch(volume.location) }
    }

    public func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        try await changing(repository) { folder throws(StorageError) in try folder.endEpoch(volume.location) }
    }

    /// Runs `body` alone in the SR's folder.
    func changing<T: Sendable>(
        _ repository: StorageRepository, _ body: @escaping @Sendable (FileRepository) throws(StorageError) -> T
    ) async throws(StorageError) -> T {
        try await blocking(repository) { () throws(StorageError) in
            let folder = try open(repository)
            return try folder.holding { () throws(StorageError) in try body(folder) }
        }
    }
}
