/// The sector that precedes everything in a streamOptimized VMDK: the first 12 bytes of a compressed grain, or a marker
/// of its own before metadata.
enum VMDKMarker: Hashable, Sendable {
    /// `size` compressed bytes follow the first 12 of this very sector, padded to whole sectors.
    case grain(sector: UInt64, size: UInt32)
    /// This many sectors of metadata follow the marker's sector.
    case grainTable(sectors: UInt64)
    case grainDirectory(sectors: UInt64)
    case footer(sectors: UInt64)
    case endOfStream
    case unknown(type: UInt32)

    /// Bytes before a grain's compressed data.
    static let grainPrefix = 12

    /// | offset | width | field |
    /// | --- | --- | --- |
    /// | 0 | 8 | the grain's first sector on the disk; or sectors of metadata |
    /// | 8 | 4 | bytes of compressed data; 0: metadata |
    /// | 12 | 4 | type of metadata |
    init(_ sector: [UInt8]) {
        let fields = LittleEndianBytes(sector)
        let value = fields.u64(0)
        let size = fields.u32(8)
        if size != 0 {
            self = .grain(sector: value, size: size)
            return
        }
        switch fields.u32(12) {
        case 0: self = .endOfStream
        case 1: self = .grainTable(sectors: value)
        case 2: self = .grainDirectory(sectors: value)
        case 3: self = .footer(sectors: value)
        case let type: self = .unknown(type: type)
        }
    }
}
