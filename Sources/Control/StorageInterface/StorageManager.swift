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
    /// In the driver's own order of preference. Empty: the driver decides, and nothing can be promised.
    public var supportedImageFormats: [ImageFormat]
    /// What the driver declared as formats and nobody knows; left out above, and told to administrators.
    public var unknownImageFormats: [String] = []
    /// Path of the program behind SM.driver_filename; empty for drivers of this program.
    public var driverFilename: String
    /// Cluster stacks, one of which the pool must run. Source: SM.required_cluster_stack.
    public var requiredClusterStack: [String]
    /// The driver makes and changes the VDI rows of its SRs itself, over the API, as SMAPIv1 drivers do.
    public var writesRows: Bool

    public init(
        type: String, name: String, description: String, vendor: String, copyright: String, version: String,
        requiredAPIVersion: String, features: [String: Int64], configuration: [String: String],
        supportedImageFormats: [ImageFormat], driverFilename: String = "", requiredClusterStack: [String] = [],
        writesRows: Bool = false
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
        self.driverFilename = driverFilename
        self.requiredClusterStack = requiredClusterStack
        self.writesRows = writesRows
    }
}

/// An SR as this host sees it: who it is and how its PBD is configured.
public struct StorageRepository: Sendable, Hashable {
    public var uuid: String
    public var deviceConfig: [String: String]
    /// Its reference in the API; drivers that call the API back need it.
    public var ref: String
    /// SR.sm_config.
    public var smConfig: [String: String]
    /// This host is the one that may change the SR's volumes: `SRmaster` of SMAPIv1.
    public var isMaster: Bool
    /// Bytes that the creator of the SR asked for; 0: all there are.
    public var physicalSize: UInt64
    /// A place that does not say whose it is may be this SR's: it was never attached before, and no volume of it is known.
    /// Otherwise such a place is another than the SR's own, which may not be mounted.
    public var mayBeUnmarked = true

    public init(
        uuid: String, deviceConfig: [String: String], ref: String = "", smConfig: [String: String] = [:],
        isMaster: Bool = true, physicalSize: UInt64 = 0
    ) {
        self.uuid = uuid
        self.deviceConfig = deviceConfig
        self.ref = ref
        self.smConfig = smConfig
        self.isMaster = isMaster
        self.physicalSize = physicalSize
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

/// A driver for one type of storage repository. Calls for one SR do not overlap; calls for different SRs may.
/// All sizes are bytes. Implementations do their blocking work off the cooperative pool.
public protocol StorageManager: Sendable {
    var info: StorageManagerInfo { get }

    /// The least virtual size not below `size` that a new volume of `format` can have; the error says the exact limit.
    func roundedSize(_ size: UInt64, format: ImageFormat) throws(StorageError) -> UInt64
    /// The largest virtual size of a volume of `format`.
    func largestSize(_ format: ImageFormat) -> UInt64
    /// The same under an SR's configuration, which may have limits of its own.
    func roundedSize(
        _ size: UInt64, format: ImageFormat, configuration: [String: String]
    ) throws(StorageError) -> UInt64
    func largestSize(_ format: ImageFormat, configuration: [String: String]) -> UInt64
    /// What an SR's configuration prefers (`preferred-image-formats`), best first; empty when it says nothing.
    func preferredFormats(_ configuration: [String: String]) -> [ImageFormat]

    /// Makes the storage of a new SR ready. Throws when the place is missing or taken.
    func createRepository(_ repository: StorageRepository) async throws(StorageError)
    /// Takes away what a `createRepository` that was cut off, or could not undo itself, has left, and nothing else: what is
    /// not certainly this SR's stays. The SR was never used. Fine when there is nothing.
    func undoCreation(_ repository: StorageRepository) async throws(StorageError)
    /// Removes what `createRepository` made. The SR holds no volume any more.
    func destroyRepository(_ repository: StorageRepository) async throws(StorageError)
    /// Makes the SR usable on this host (mounts, checks). Idempotent.
    func attach(_ repository: StorageRepository) async throws(StorageError)
    func detach(_ repository: StorageRepository) async throws(StorageError)
    func space(_ repository: StorageRepository) async throws(StorageError) -> RepositorySpace
    /// What there is at the place that `deviceConfig` describes. Changes nothing. Gated by SR_PROBE.
    func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe]
    /// The same as the XML document that `SR.probe` answers with.
    func probeDocument(_ deviceConfig: [String: String], smConfig: [String: String]) async throws(StorageError)
        -> String
    /// The keys of device_config that name the place itself: they stay as they are while the SR is attached.
    var fixedConfiguration: Set<String> { get }
    /// What there is at `location`, for a row that is to be made of it. A driver that writes rows makes it, with `uuid`.
    func introduceVolume(
        _ repository: StorageRepository, uuid: String, location: String, smConfig: [String: String]
    ) async throws(StorageError) -> Volume
    /// All volumes there are. Files that are not valid images are left out and named in `problems`.
    func scan(_ repository: StorageRepository) async throws(StorageError) -> RepositoryScan

    /// A new volume that reads as zeroes, durable when this returns. The size is already rounded for the format.
    func createVolume(_ repository: StorageRepository, _ volume: NewVolume) async throws(StorageError) -> Volume
    /// Deletes the volume's data. Fine when it is gone already.
    func destroyVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)
    /// Grows an unattached volume to `size` (rounded).
    func resizeVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume
    /// Grows a volume that is attached, in a moment: its data path is paused meanwhile, with nothing open, and goes on with
    /// what `attachVolume` names afterwards. Gated by VDI_RESIZE_ONLINE.
    func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume
    func stat(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> Volume
    /// The volume and the hidden ones that it stands on, nearest first.
    func chain(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> [Volume]
    /// Those of the locations where there is something now. Asked for whole listings: cheaper than `stat` for each.
    func present(_ repository: StorageRepository, locations: [String]) async throws(StorageError) -> Set<String>

    /// A read-only copy of what the volume holds now, which shares its data. Nobody writes meanwhile: the data path, if
    /// there is one, is paused and flushed. Gated by the feature VDI_SNAPSHOT.
    func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume
    /// Like a snapshot, but to be written to. Gated by VDI_CLONE.
    func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume
    /// Gives an unattached volume the content of its snapshot. Gated by VDI_REVERT.
    func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume

    /// A guest boots with a volume that is to show the same content at every boot: from now on, until `endEpoch`, what is
    /// attached as `isInEpoch` begins with the volume's content and takes what is written, and the volume does not change.
    /// What an earlier epoch took is gone. Gated by VDI_RESET_ON_BOOT.
    func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)
    /// The guest has ended and nothing is attached: what it wrote goes. Fine when there is no epoch.
    func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)

    /// The file in which a data path that writes the volume marks what it changes; nil for a volume that is not tracked, and
    /// where the driver does that itself.
    func changeLog(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> String?
    /// From now on changes of the volume are tracked, in a new set of logs. No data path writes it meanwhile. Fine when they
    /// are. Gated by VDI_CONFIG_CBT, as are the following.
    func enableChangeTracking(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)
    func disableChangeTracking(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)
    /// Deletes the data of a snapshot and keeps its log of changed blocks, which is the volume from then on.
    func destroyVolumeData(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> Volume
    /// The blocks of 64 KiB that may differ between two volumes of a set of logs, the earlier first: the bitmap in base64 as
    /// VDI.list_changed_blocks answers it. Asked of drivers that keep logs of their own; see `ChangeLogKeeper`.
    func changedBlocks(
        _ repository: StorageRepository, from: VolumeID, to: VolumeID
    ) async throws(StorageError) -> String

    /// Makes the volume usable on this host and tells how. Idempotent. `detachVolume` undoes it.
    func attachVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) -> VolumeAccess
    /// From now on its data path reads and writes it; after `attachVolume`. Idempotent.
    func activateVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError)
    func deactivateVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)
    func detachVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError)

    /// With the feature VDI_GENERATE_CONFIG: what the manager's program says that it needs to attach the volume when there is
    /// no toolstack, in its own words.
    func configuration(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) -> String
    /// What the attached SR can do by what it is on: entries of SR.sm_config that this manager keeps up to date.
    func statements(_ repository: StorageRepository) async throws(StorageError) -> [String: String]
    /// What the manager's program measures of the attached SR and of its users. Returns at once.
    func metrics(_ repository: StorageRepository) -> [StorageMetrics]

    /// The SR is called something else now; for drivers that keep its name. `present` is asked when it is the call's turn:
    /// what the SR is called then; nil: it is gone.
    func renameRepository(
        _ repository: StorageRepository, _ present: @Sendable () -> (label: String, description: String)?
    ) async throws(StorageError)
    /// Entries of the VDI's `sm_config` have changed; for drivers that keep it beside the volumes. `present` is asked when it
    /// is the call's turn: their values then, nil for those that are no longer there.
    func storeConfiguration(
        _ repository: StorageRepository, _ volume: VolumeID, _ present: @Sendable () -> [String: String?]
    ) async throws(StorageError)
    /// The VDI is called something else now; for drivers that keep names beside the volumes.
    func renameVolume(
        _ repository: StorageRepository, _ volume: VolumeID, label: String, description: String
    ) async throws(StorageError)
}

extension StorageManager {
    public func roundedSize(
        _ size: UInt64, format: ImageFormat, configuration: [String: String]
    ) throws(StorageError) -> UInt64 { try roundedSize(size, format: format) }

    public func largestSize(_ format: ImageFormat, configuration: [String: String]) -> UInt64 { largestSize(format) }

    public var fixedConfiguration: Set<String> { [] }

    public func undoCreation(_ repository: StorageRepository) async throws(StorageError) {
        try await destroyRepository(repository)
    }

    public func chain(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> [Volume] { [try await stat(repository, volume)] }

    public func probe(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> [RepositoryProbe] { throw unimplemented("SR_PROBE") }

    public func probeDocument(
        _ deviceConfig: [String: String], smConfig: [String: String]
    ) async throws(StorageError) -> String {
        RepositoryProbe.document(try await probe(deviceConfig, smConfig: smConfig))
    }

    public func introduceVolume(
        _ repository: StorageRepository, uuid: String, location: String, smConfig: [String: String]
    ) async throws(StorageError) -> Volume {
        try await stat(repository, VolumeID(location: location, uuid: uuid))
    }

    public func present(
        _ repository: StorageRepository, locations: [String]
    ) async throws(StorageError) -> Set<String> {
        var present: Set<String> = []
        for location in locations where (try? await stat(repository, VolumeID(location: location))) != nil {
            present.insert(location)
        }
        return present
    }
}

// What a driver need not offer. A feature that it does not name is not asked for; this is the answer when it is.
extension StorageManager {
    public func snapshotVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume { throw unimplemented("VDI_SNAPSHOT") }

    public func cloneVolume(
        _ repository: StorageRepository, _ volume: VolumeID, as new: NewVolume
    ) async throws(StorageError) -> DerivedVolume { throw unimplemented("VDI_CLONE") }

    public func growAttachedVolume(
        _ repository: StorageRepository, _ volume: VolumeID, size: UInt64
    ) async throws(StorageError) -> Volume { throw unimplemented("VDI_RESIZE_ONLINE") }

    public func revertVolume(
        _ repository: StorageRepository, _ volume: VolumeID, to snapshot: VolumeID
    ) async throws(StorageError) -> Volume { throw unimplemented("VDI_REVERT") }

    public func beginEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {
        throw unimplemented("VDI_RESET_ON_BOOT")
    }

    public func endEpoch(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {}

    public func activateVolume(
        _ repository: StorageRepository, _ volume: VolumeID, writable: Bool
    ) async throws(StorageError) {}

    public func deactivateVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {}

    public func detachVolume(_ repository: StorageRepository, _ volume: VolumeID) async throws(StorageError) {}

    public func renameVolume(
        _ repository: StorageRepository, _ volume: VolumeID, label: String, description: String
    ) async throws(StorageError) {}

    public func renameRepository(
        _ repository: StorageRepository, _ present: @Sendable () -> (label: String, description: String)?
    ) async throws(StorageError) {}

    public func storeConfiguration(
        _ repository: StorageRepository, _ volume: VolumeID, _ present: @Sendable () -> [String: String?]
    ) async throws(StorageError) {}

    public func metrics(_ repository: StorageRepository) -> [StorageMetrics] { [] }

    public func statements(_ repository: StorageRepository) async throws(StorageError) -> [String: String] { [:] }

    public func configuration(
        _ repository: StorageRepository, _ volume: VolumeID
    ) async throws(StorageError) -> String { throw unimplemented("VDI_GENERATE_CONFIG") }

    private func unimplemented(_ feature: String) -> StorageError {
        StorageError(.unimplemented, "storage managers of type \(info.type) do not offer \(feature)")
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
