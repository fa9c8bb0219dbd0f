/// What the headers of an image say that can only be imported.
public struct ImportInfo: Hashable, Sendable {
    public var format: ImportFormat
    /// Bytes the guest sees.
    public var virtualSize: UInt64
    /// Bytes the file occupies on disk; of the one file that was named.
    public var actualSize: UInt64
    /// Length of that file in bytes.
    public var fileSize: UInt64
    /// Bytes of one allocation unit; nil where there is none.
    public var clusterSize: UInt64?
    /// VHDX: `dynamic`, `fixed`, `differencing`. VMDK: its `createType`.
    public var subformat: String
    /// Bytes of the sectors that the guest saw.
    public var logicalSectorSize: UInt64
    /// Who wrote it, as the image says (printable ASCII).
    public var creator: String?
    /// The disk's own identifier.
    public var identifier: String?
    /// Identifies the content; children name their parent by it (VHDX data-write GUID, VMDK CID).
    public var contentIdentifier: String?
    /// The file it names as its parent, as written in the image; never opened.
    public var parentName: String?
    /// The content that its parent must have; nil without a parent.
    public var parentContentIdentifier: String?
    /// Other files that hold the disk's content, as written in the image; never opened.
    public var extentNames: [String] = []
    /// What a person should know: damage that was got round, a log to apply, …
    public var notes: [String] = []

    public init(
        format: ImportFormat, virtualSize: UInt64, actualSize: UInt64, fileSize: UInt64, clusterSize: UInt64? = nil,
        subformat: String, logicalSectorSize: UInt64 = 512
    ) {
        self.format = format
        self.virtualSize = virtualSize
        self.actualSize = actualSize
        self.fileSize = fileSize
        self.clusterSize = clusterSize
        self.subformat = subformat
        self.logicalSectorSize = logicalSectorSize
    }
}
