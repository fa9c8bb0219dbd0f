/// What a server tells about one export before the transmission phase.
public struct ExportDescription: Sendable, Equatable {
    /// Up to 4096 bytes of UTF-8.
    public var name: String
    /// A sentence for people; empty: none.
    public var text: String
    /// Bytes.
    public var size: UInt64
    public var flags: TransmissionFlags
    /// Smallest, best and largest request, in bytes (powers of two, the largest a multiple of the smallest).
    public var minimumBlock: UInt32
    public var preferredBlock: UInt32
    public var maximumBlock: UInt32
    /// Names of its dirty bitmaps, at most `NBDLimits.bitmaps`.
    public var bitmaps: [String] = []

    public init(
        name: String, text: String = "", size: UInt64, flags: TransmissionFlags, minimumBlock: UInt32 = 1,
        preferredBlock: UInt32 = 4096, maximumBlock: UInt32 = NBDLimits.payload
    ) {
        self.name = name
        self.text = text
        self.size = size
        self.flags = flags
        self.minimumBlock = minimumBlock
        self.preferredBlock = preferredBlock
        self.maximumBlock = maximumBlock
    }
}
