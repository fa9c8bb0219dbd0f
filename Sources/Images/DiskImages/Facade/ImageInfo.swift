public import CoreTypes

/// What the header of an image says about it.
public struct ImageInfo: Hashable, Sendable {
    public var format: ImageFormat
    /// Bytes the guest sees.
    public var virtualSize: UInt64
    /// Bytes the file occupies on disk.
    public var actualSize: UInt64
    /// Length of the file in bytes.
    public var fileSize: UInt64
    /// Bytes of one allocation unit; nil where there is none.
    public var clusterSize: UInt64?
    /// E.g. `dynamic`, `fixed`, `differencing`, or a format version.
    public var subformat: String?
    /// Who wrote it, as the image says (printable ASCII).
    public var creator: String?
    /// The image's own identifier, a UUID in lower case.
    public var identifier: String?
    /// The file it names as its parent, as written in the image; never opened.
    public var parentName: String?
    /// The format of that parent, as far as the image says it.
    public var parentFormat: ImageFormat?
    /// The most bytes that the image could be enlarged to.
    public var largestSize: UInt64
    /// Xen's mark of an image that is not to be shown as a disk of its own (VHD, qcow2).
    public var isHidden = false
    /// What a person should know: sizes that disagree, a missing footer, …
    public var notes: [String]

    public init(
        format: ImageFormat, virtualSize: UInt64, actualSize: UInt64, fileSize: UInt64, clusterSize: UInt64? = nil,
        subformat: String? = nil, creator: String? = nil, identifier: String? = nil, parentName: String? = nil,
        parentFormat: ImageFormat? = nil, largestSize: UInt64? = nil, notes: [String] = []
    ) {
        self.format = format
        self.virtualSize = virtualSize
        self.actualSize = actualSize
        self.fileSize = fileSize
        self.clusterSize = clusterSize
        self.subformat = subformat
        self.creator = creator
        self.identifier = identifier
        self.parentName = parentName
        self.parentFormat = parentFormat
        self.largestSize = largestSize ?? FormatCapabilities.of(format).maximumSize
        self.notes = notes
    }
}
