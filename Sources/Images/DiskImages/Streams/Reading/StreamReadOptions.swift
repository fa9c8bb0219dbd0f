public import BlockIO
public import CoreTypes

/// The formats that a disk can be read from as a stream.
public enum StreamFormat: String, CaseIterable, Sendable {
    case raw, vhd, qcow2, vhdx, vmdk

    public init(_ format: ImageFormat) {
        switch format {
        case .raw: self = .raw
        case .vhd: self = .vhd
        case .qcow2: self = .qcow2
        }
    }
}

/// What a stranger's stream may cost, and what it may lean on.
public struct StreamReadOptions {
    /// Bytes; a stream whose disk is larger is refused with `.limitExceeded`.
    public var largestVirtualSize = UInt64.max
    /// Bytes of memory for what the stream's tables say, at the most.
    public var largestMetadata = 128 << 20
    /// Bytes that the disk must have. Streams that do not say it themselves, raw, and fixed VHD, which says it at the end, are
    /// as large as this from the beginning; of any other nothing is written unless it is.
    public var rawSize: UInt64?
    /// For a stream that does not say its size and a destination that is yet to be made: it gets this many bytes, and
    /// the caller, who learns in the end how many the disk has, makes it smaller. Without, such streams are refused.
    public var provisionalSize: UInt64?
    /// The disk below a differencing VHD or a qcow2 overlay; such streams are refused without.
    public var parent: Parent?
    /// The destination device holds the content of the parent already: a differencing VHD or a qcow2 overlay leaves alone what
    /// it does not store, and no parent is needed or looked for. Other images make the disk like themselves as ever.
    public var overlaysDestination = false
    /// The files of the parents that a VHDX or VMDK may use, which are of its own format, and the extents of those; identities
    /// are checked. The image itself has no other files.
    public var imports = ImportPolicy.standalone
    /// A folder for an unnamed file that holds data which come before the tables that describe them, when a stream has
    /// such, and all of a stream whose parts must be read out of order (VHDX; VMDK, but for streamOptimized ones); without it
    /// that is an error.
    public var spillFolder: String?
    /// That file, open: for who will not be able to make it when it is needed. It stays the caller's.
    public var spillFile: Int32?
    /// Bytes that the file may take: what a stream names late, and what it never names, is the stranger's choice.
    public var largestSpill = UInt64.max

    public struct Parent {
        public var device: any BlockDevice
        /// Compared with the one that a differencing VHD stores (a UUID in lower case).
        public var identifier: String?
        /// Compared with what the image says of its parent: a VHD has an identifier for VHD parents and none for others.
        public var format: ParentFormat?

        public init(device: any BlockDevice, identifier: String? = nil, format: ParentFormat? = nil) {
            self.device = device
            self.identifier = identifier
            self.format = format
        }
    }

    public init() {}

    /// An unnamed file in `folder`, for `spillFile`: its descriptor.
    public static func makeSpillFile(in folder: String) throws(BlockError) -> Int32 { try SpillFile.make(in: folder) }

    /// The image in the stream is no difference to another one.
    mutating func isWhole() {
        parent = nil
        overlaysDestination = false
    }
}

/// Where the content of a stream goes.
public enum StreamDestination {
    /// A device that is at least as large as the disk in the stream; what lies behind that is not touched. `isFresh`: it
    /// reads as zeroes everywhere, so zeroes need not be written.
    case device(any BlockDevice, isFresh: Bool)
    /// Makes the device, which reads as zeroes, when the virtual size is known. Called at most once. The caller closes
    /// it, also after an error.
    case make((UInt64) throws(BlockError) -> any BlockDevice)
}
