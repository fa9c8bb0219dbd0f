import BlockIO
import CoreTypes

/// What the metadata of a VHDX file say of the disk.
struct VHDXMetadata: Hashable, Sendable {
    // The table: `metadata`, at 10 the number of entries (2 bytes), from 32 entries of 32 bytes: identifier, offset in
    // the region, length, flags (bit 2: must be known).
    private static let tableBytes = 65536
    private static let mostEntries: UInt16 = 2047
    private static let largestItem: UInt64 = 1 << 20
    private static let mustBeKnown: UInt32 = 4
    static let largestDisk: UInt64 = 64 << 40

    enum Item: String, CaseIterable {
        case fileParameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b"
        case virtualSize = "2fa54224-cd1b-4876-b211-5dbed83bf4b8"
        case logicalSector = "8141bf1d-a96f-4709-ba47-f233a8faab5f"
        case physicalSector = "cda348c7-445d-4471-9cc9-e9885251c556"
        case diskID = "beca12ab-b2e6-4523-93ef-c309e000c746"
        case parentLocator = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"

        /// Bytes that it has at least; nil: of any length.
        var byteCount: UInt64? {
            switch self {
            case .fileParameters, .virtualSize: 8
            case .logicalSector, .physicalSector: 4
            case .diskID: 16
            case .parentLocator: nil
            }
        }
    }

    /// Bytes of a block.
    let blockSize: UInt64
    /// All blocks are meant to be stored.
    let isFixed: Bool
    let virtualSize: UInt64
    let logicalSector: UInt64
    let physicalSector: UInt64
    let diskID: WindowsGUID?
    /// Set for a differencing disk.
    let parent: VHDXParentLocator?

    init(file: VHDXFile, region: Range<UInt64>) throws(BlockError) {
        let items = try Self.items(file: file, region: region)

        func field(_ item: Item) throws(BlockError) -> LittleEndianBytes {
            guard let bytes = items[item] else {
                throw BlockError(.corrupt, "the VHDX metadata lack an item that must be there: \(item)")
            }
            return LittleEndianBytes(bytes)
        }

        let parameters = try field(.fileParameters)
        blockSize = UInt64(parameters.u32(0))
        isFixed = parameters.u32(4) & 1 != 0
        let hasParent = parameters.u32(4) & 2 != 0
        guard blockSize.nonzeroBitCount == 1, (1 << 20...256 << 20).contains(blockSize) else {
            throw BlockError(
                .corrupt, "the VHDX file has blocks of \(blockSize) bytes; a power of two from 1 to 256 MiB is legal")
        }
        logicalSector = UInt64(try field(.logicalSector).u32(0))
        guard logicalSector == 512 || logicalSector == 4096 else {
            throw BlockError(.corrupt, "the VHDX disk has sectors of \(logicalSector) bytes; 512 and 4096 are legal")
        }
        physicalSector = UInt64(items[.physicalSector].map { LittleEndianBytes($0).u32(0) } ?? 4096)
        virtualSize = try field(.virtualSize).u64(0)
        guard virtualSize <= Self.largestDisk else {
            throw BlockError(.limitExceeded, "the VHDX disk claims \(virtualSize) bytes; the format ends at 64 TiB")
        }
        guard virtualSize % logicalSector == 0 else {
            throw BlockError(.corrupt, "the VHDX disk's size of \(virtualSize) bytes is not a whole number of sectors")
        }
        diskID = items[.diskID].map { WindowsGUID(LittleEndianBytes($0), at: 0) }
        parent = hasParent ? try VHDXParentLocator(field(.parentLocator)) : nil
    }

    private static func items(file: VHDXFile, region: Range<UInt64>) throws(BlockError) -> [Item: [UInt8]] {
        let fields = LittleEndianBytes(try file.array(at: region.lowerBound, count: tableBytes))
        guard fields.hasMark("metadata", at: 0) else {
            throw BlockError(.corrupt, "the VHDX metadata lack their mark", offset: region.lowerBound)
        }
        let count = fields.u16(10)
        guard count <= mostEntries else {
            throw BlockError(.corrupt, "the VHDX metadata claim \(count) entries; \(mostEntries) fit")
        }
        var known: [WindowsGUID: Item] = [:]
        for item in Item.allCases { if let id = WindowsGUID(item.rawValue) { known[id] = item } }
        var items: [Item: [UInt8]] = [:]
        for index in 0..<Int(count) {
            let entry = 32 + 32 * index
            let id = WindowsGUID(fields, at: entry)
            let offset = UInt64(fields.u32(entry + 16))
            let length = UInt64(fields.u32(entry + 20))
            guard let item = known[id] else {
                if fields.u32(entry + 24) & mustBeKnown == 0 { continue }
                throw BlockError(.unsupported, "the VHDX file needs the metadata item \(id.text), which is not known")
            }
            guard offset >= UInt64(tableBytes), length <= largestItem, length >= item.byteCount ?? 0,
                offset + length <= region.upperBound - region.lowerBound
            else {
                throw BlockError(
                    .corrupt, "the VHDX metadata item \(item) has \(length) bytes at \(offset) of its region")
            }
            guard items[item] == nil else { throw BlockError(.corrupt, "the VHDX metadata have \(item) twice") }
            items[item] = try file.array(at: region.lowerBound + offset, count: Int(length))
        }
        return items
    }
}
