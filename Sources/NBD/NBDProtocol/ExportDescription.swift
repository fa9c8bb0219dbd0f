/// What a server tells about one export before the transmission phase.
public struct ExportDescription: Sendable, Equatable {
    /// Up to 4096 bytes of UTF-8.
    public var name: String
    /// A sentence for people; empty: none.
    public var text: String
    /// Bytes.
    public var size: UInt64
    public var flags: TransmissionFlags
    /// Smallest, best and largest request, in bytes. What they may be: `blockFault`.
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

    /// What is wrong with the sizes of requests that a server tells; nil: nothing. Source: protocol description, "Block size
    /// constraints", which also lets a server tell a size of which nobody can reach the end: such an export is of no use.
    var blockFault: String? {
        let (minimum, preferred, maximum) = (minimumBlock, preferredBlock, maximumBlock)
        if minimum.nonzeroBitCount != 1 || minimum > 64 << 10 {
            return "the smallest request, of \(minimum) bytes, is no power of two up to 65536"
        }
        if preferred.nonzeroBitCount != 1 || preferred < minimum {
            return "the best request, of \(preferred) bytes, is no power of two from the smallest, \(minimum), on"
        }
        if maximum < minimum || maximum != .max && maximum % minimum != 0 {
            return "the largest request, of \(maximum) bytes, is no multiple of the smallest, \(minimum)"
        }
        if maximum < preferred, UInt64(maximum) < size {
            return "the largest request, of \(maximum) bytes, is smaller than the best, of \(preferred)"
        }
        if size % UInt64(minimum) != 0 {
            return "the export's size, \(size) bytes, is no multiple of the smallest request, of \(minimum)"
        }
        return nil
    }
}
