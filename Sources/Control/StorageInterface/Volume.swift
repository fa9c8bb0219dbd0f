public import CoreTypes

/// A volume as found in an SR.
public struct Volume: Sendable, Hashable {
    /// The VDI's uuid. Empty when the place of the images has none: the row gets one when the volume is first seen.
    public var uuid: String
    /// What the driver finds it by; unique in the SR. Becomes VDI.location.
    public var location: String
    /// Nil when the driver does not say.
    public var format: ImageFormat?
    /// Bytes.
    public var virtualSize: UInt64
    /// Bytes taken in the SR.
    public var physicalSize: UInt64
    /// The common ground of other volumes, no disk of its own: an unmanaged VDI.
    public var isHidden: Bool
    /// The volume that this one holds the differences to.
    public var parentUUID: String?
    /// Nobody may write it.
    public var isReadOnly: Bool
    /// What it is called until somebody names it.
    public var nameLabel: String
    /// Its changed blocks are tracked; nil where the driver does not say.
    public var isTracked: Bool?
    /// What is left of a snapshot whose data were destroyed: its log of changed blocks.
    public var isChangeLog = false

    public init(
        uuid: String, location: String, format: ImageFormat?, virtualSize: UInt64, physicalSize: UInt64,
        isHidden: Bool = false, parentUUID: String? = nil, isReadOnly: Bool = false, nameLabel: String = ""
    ) {
        self.isReadOnly = isReadOnly
        self.nameLabel = nameLabel
        self.uuid = uuid
        self.location = location
        self.format = format
        self.virtualSize = virtualSize
        self.physicalSize = physicalSize
        self.isHidden = isHidden
        self.parentUUID = parentUUID
    }
}

/// Who a volume is: what drivers find it by, and what third-party drivers want to be told of its VDI.
public struct VolumeID: Sendable, Hashable {
    /// Unique in the SR; VDI.location.
    public var location: String
    /// The VDI's uuid; empty when there is no VDI (yet).
    public var uuid: String
    /// The VDI's reference.
    public var ref: String
    /// VDI.on_boot is `reset`.
    public var resetsOnBoot: Bool
    public var allowsCaching: Bool
    /// Between `beginEpoch` and `endEpoch`: what is written meanwhile goes elsewhere.
    public var isInEpoch = false

    public init(
        location: String, uuid: String = "", ref: String = "", resetsOnBoot: Bool = false, allowsCaching: Bool = false
    ) {
        self.location = location
        self.uuid = uuid
        self.ref = ref
        self.resetsOnBoot = resetsOnBoot
        self.allowsCaching = allowsCaching
    }
}

/// What is asked for when a volume is made.
public struct NewVolume: Sendable, Hashable {
    /// The uuid that it is to have. Drivers that choose one themselves answer with theirs.
    public var uuid: String
    /// Bytes, rounded for the format; 0 for a snapshot or clone, which is as large as its origin.
    public var size: UInt64
    /// Nil: the driver decides.
    public var format: ImageFormat?
    public var nameLabel: String
    public var nameDescription: String
    /// VDI.type, as the API spells it.
    public var type: String
    /// VDI.sm_config as the caller gave it; for a snapshot or clone the caller's `driver_params`.
    public var smConfig: [String: String]
    /// VDI.read_only and VDI.metadata_of_pool, a reference or empty, as the caller gave them: drivers that write the row
    /// themselves are told.
    public var isReadOnly = false
    public var metadataOfPool = ""

    public init(
        uuid: String, size: UInt64 = 0, format: ImageFormat? = nil, nameLabel: String = "",
        nameDescription: String = "", type: String = "user", smConfig: [String: String] = [:]
    ) {
        self.uuid = uuid
        self.size = size
        self.format = format
        self.nameLabel = nameLabel
        self.nameDescription = nameDescription
        self.type = type
        self.smConfig = smConfig
    }
}

/// A snapshot or clone, and its origin as it is now: the origin's image may have become another one.
public struct DerivedVolume: Sendable, Hashable {
    public var volume: Volume
    public var origin: Volume
    /// The hidden volume on which both stand now, where it is new.
    public var base: Volume?

    public init(volume: Volume, origin: Volume, base: Volume? = nil) {
        self.volume = volume
        self.origin = origin
        self.base = base
    }
}

/// A file or block device and the format of the image in it.
public struct VolumeImage: Sendable, Hashable {
    /// Absolute.
    public var path: String
    public var format: ImageFormat

    public init(path: String, format: ImageFormat) {
        self.path = path
        self.format = format
    }
}

/// How a data path reaches an attached volume.
public enum VolumeAccess: Sendable, Hashable {
    /// Absolute path of a file or block device, which holds an image of this format.
    case image(path: String, format: ImageFormat)
    /// An image and the images below it, nearest first. Data paths follow this list and no name that an image holds.
    case chain(VolumeImage, parents: [VolumeImage])
    /// An NBD server of the driver's, on a Unix socket, that serves the volume's content.
    case nbd(socket: String, export: String)
}
