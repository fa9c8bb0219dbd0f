public import CoreTypes

/// What a storage manager says about itself; becomes its SM row. Source: SMAPIv1 DRIVER_INFO.
public struct StorageManagerInfo: Sendable {
    /// SR type, lower case: `file`, `ext`, …
    public var type: String
    public var name: String
    public var description: String
    public var vendor: String
    public var copyright: String
    public var version: String
    public var requiredAPIVersion: String
    /// Feature name → version, e.g. `VDI_CREATE: 1`.
    public var features: [String: Int64]
    /// device_config key → what it is for.
    public var configuration: [String: String]
    /// In the driver's own order of preference.
    public var supportedImageFormats: [ImageFormat]

    public init(
        type: String, name: String, description: String, vendor: String, copyright: String, version: String,
        requiredAPIVersion: String, features: [String: Int64], configuration: [String: String],
        supportedImageFormats: [ImageFormat]
    ) {
        self.type = type
        self.name = name
        self.description = description
        self.vendor = vendor
        self.copyright = copyright
        self.version = version
        self.requiredAPIVersion = requiredAPIVersion
        self.features = features
        self.configuration = configuration
        self.supportedImageFormats = supportedImageFormats
    }
}

/// An SR as this host sees it: who it is and how its PBD is configured.
public struct StorageRepository: Sendable, Hashable {
    public var uuid: String
    public var deviceConfig: [String: String]

    public init(uuid: String, deviceConfig: [String: String]) {
        self.uuid = uuid
        self.deviceConfig = deviceConfig
    }
}

/// Bytes of an SR.
public struct RepositorySpace: Sendable, Hashable {
    public var total: UInt64
    /// Free for this SR to use.
    public var free: UInt64
    /// Taken by the images of this SR.
    public var used: UInt64

    public init(total: UInt64, free: UInt64, used: UInt64) {
        self.total = total
        self.free = free
        self.used = used
    }
}

/// A volume as found in an SR.
public struct Volume: Sendable, Hashable {
    /// The VDI's uuid.
    public var uuid: String
    /// What the driver finds it by; unique in the SR. Becomes VDI.location.
    public var location: String
    public var format: ImageFormat
    /// Bytes.
    public var virtualSize: UInt64
    /// Bytes taken in the SR.
    public var physicalSize: UInt64

    public init(uuid: String, location: String, format: ImageFormat, virtualSize: UInt64, physicalSize: UInt64) {
        self.uuid = uuid
        self.location = location
        self.format = format
        self.virtualSize = virtualSize
        self.physicalSize = physicalSize
    }
}

/// Where a data path finds a volume's image.
public struct VolumeImage: Sendable, Hashable {
    /// Absolute path of a file or block device.
    public var path: String
    public var format: ImageFormat

    public init(path: String, format: ImageFormat) {
        self.path = path
        self.format = format
    }
}

/// A driver for one type of storage repository. Calls for one SR do not overlap; calls for different SRs may.
/// All sizes are bytes. Implementations do their blocking work off the cooperative pool.
public protocol StorageManager: Sendable {
    var info: StorageManagerInfo { get }

    /// The least virtual size not below `size` that a new volume of `format` can have; the error says the exact limit.
    func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64
    /// The largest virtual size of a volume of `format`.
    func largestSize(_ format: ImageFormat) -> UInt64
    /// What an SR's configuration prefers (`preferred-image-formats`), best first; empty when it says nothing.
    func preferredFormats(_ configuration: [String: String]) -> [ImageFormat]

    /// Makes the storage of a new SR ready. Throws when the place is missing or taken.
    func createRepository(_ repository: StorageRepository) async throws(StorageError)
    /// Removes what `createRepository` made. The SR holds no volume any more.
    func destroyRepository(_ repository: StorageRepository) async throws(StorageError)
    /// Makes the SR usable on this host (mounts, checks). Idempotent.
    func attach(_ repository: StorageRepository) async throws(StorageError)
    func detach(_ repository: StorageRepository) async throws(StorageError)
    func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace
    /// All volumes there are. Files that are not valid images are left out and named in `problems`.
    func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan

    /// A new volume that reads as zeroes, durable when this returns. `size` is already rounded.
    func createVolume(
        _ repository: StorageRepository, uuid: String, size: UInt64, format: ImageFormat
    ) async throws(StorageError) -> Volume
    /// Deletes the volume's data. Fine when it is gone already.
    func destroyVolume(_ repository: StorageRepository, location: String) async throws(StorageError)
    /// Grows an unattached volume to `size` (rounded).
    func resizeVolume(
        _ repository: StorageRepository, location: String, size: UInt64
    ) async throws(StorageError) -> Volume
    func stat(_ repository: StorageRepository, location: String) async throws(StorageError) -> Volume
    /// Those of the locations where there is something now. Asked for whole listings: cheaper than `stat` for each.
    func present(_ repository: StorageRepository, locations: [String]) async throws(StorageError) -> Set<String>
    /// Checks that the location belongs to the SR and tells where the image is.
    func image(_ repository: StorageRepository, location: String) throws(StorageError) -> VolumeImage
}

extension StorageManager {
    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        var present: Set<String> = []
        for location in locations where (try? await stat(repository, location: location)) != nil {
            present.insert(location)
        }
        return present
    }
}

public struct RepositoryScan: Sendable {
    public var volumes: [Volume]
    /// File name → why it is no volume.
    public var problems: [String: String]

    public init(volumes: [Volume], problems: [String: String]) {
        self.volumes = volumes
        self.problems = problems
    }
}
