import BlockIO
import CoreTypes

/// The 1024-byte header of dynamic and differencing VHDs. All fields big-endian.
///
/// | offset | width | field |
/// |---|---|---|
/// | 0 | 8 | `cxsparse` |
/// | 8 | 8 | all ones |
/// | 16 | 8 | file offset of the block table |
/// | 24 | 4 | version 0x00010000 |
/// | 28 | 4 | entries in the block table |
/// | 32 | 4 | block size in bytes |
/// | 36 | 4 | checksum |
/// | 40 | 16 | UUID of the parent; zero without one, or when the parent has none |
/// | 56 | 4 | modification time of the parent's file, seconds since 2000 |
/// | 64 | 512 | name of the parent, UTF-16, padded with zeroes |
/// | 576 | 8 × 24 | where paths of the parent are stored (`VHDLocator`) |
struct VHDHeader: Hashable, Sendable {
    static let size = 1024
    static let defaultBlockSize: UInt64 = 2 << 20
    private static let cookie = Array("cxsparse".utf8)

    /// The structure as stored, so that rewriting it keeps every byte.
    let bytes: [UInt8]
    let tableOffset: UInt64
    let entryCount: UInt64
    /// A power of two from 512 to 2 MiB.
    let blockSize: UInt64

    init(tableOffset: UInt64, entryCount: UInt64, blockSize: UInt64) {
        self.tableOffset = tableOffset
        self.entryCount = entryCount
        self.blockSize = blockSize
        var bytes = Self.cookie
        bytes.appendBigEndian(UInt64.max)
        bytes.appendBigEndian(tableOffset)
        bytes.appendBigEndian(UInt32(0x0001_0000))
        bytes.appendBigEndian(UInt32(clamping: entryCount))
        bytes.appendBigEndian(UInt32(clamping: blockSize))
        bytes += [UInt8](repeating: 0, count: Self.size - bytes.count)
        bytes.replaceBigEndian(at: 36, with: VHDFooter.checksum(bytes, field: 36))
        self.bytes = bytes
    }

    /// The same header with its block table elsewhere. Differs from this one in the first sector only.
    init(_ header: VHDHeader, tableOffset: UInt64, entryCount: UInt64) {
        var bytes = header.bytes
        bytes.replaceBigEndian(at: 16, with: UInt32(truncatingIfNeeded: tableOffset >> 32))
        bytes.replaceBigEndian(at: 20, with: UInt32(truncatingIfNeeded: tableOffset))
        bytes.replaceBigEndian(at: 28, with: UInt32(clamping: entryCount))
        bytes.replaceBigEndian(at: 36, with: VHDFooter.checksum(bytes, field: 36))
        self.bytes = bytes
        self.tableOffset = tableOffset
        self.entryCount = entryCount
        blockSize = header.blockSize
    }

    /// The same header with another parent, or with none.
    init(_ header: VHDHeader, parent: VHDParent?, locators: [VHDLocator]) {
        var bytes = header.bytes
        bytes.replaceSubrange(40..<768, with: [UInt8](repeating: 0, count: 728))
        if let parent {
            if let identifier = parent.identifier, identifier.count == 16 {
                bytes.replaceSubrange(40..<56, with: identifier)
            }
            bytes.replaceBigEndian(at: 56, with: parent.timestamp)
            for (index, unit) in parent.fileName.utf16.prefix(255).enumerated() {
                bytes[64 + 2 * index] = UInt8(unit >> 8)
                bytes[65 + 2 * index] = UInt8(unit & 0xFF)
            }
            for (index, locator) in locators.prefix(8).enumerated() {
                bytes.replaceSubrange(576 + 24 * index..<600 + 24 * index, with: locator.encoded())
            }
        }
        bytes.replaceBigEndian(at: 36, with: VHDFooter.checksum(bytes, field: 36))
        self.bytes = bytes
        tableOffset = header.tableOffset
        entryCount = header.entryCount
        blockSize = header.blockSize
    }

    /// Reads the header at `offset` of a file of `length` bytes and checks all that can be checked without the table.
    init(file: any ImageStorage, offset: UInt64, length: UInt64) throws(BlockError) {
        guard offset >= 512, offset % 512 == 0, offset < length, length - offset >= UInt64(Self.size) else {
            throw BlockError(.corrupt, "the VHD header is not inside the file", offset: offset)
        }
        let bytes = try file.array(at: offset, count: Self.size)
        guard bytes.starts(with: Self.cookie) else {
            throw BlockError(.corrupt, "there is no VHD header where the footer says", offset: offset)
        }
        self.bytes = bytes
        let fields = BigEndianBytes(bytes)
        guard fields.u32(36) == VHDFooter.checksum(bytes, field: 36) else {
            throw BlockError(.corrupt, "the checksum of the VHD header is wrong", offset: offset)
        }
        guard fields.u32(24) >> 16 == 1 else {
            throw BlockError(.unsupported, "VHD header version \(fields.u32(24) >> 16) is not known")
        }
        tableOffset = fields.u64(16)
        entryCount = UInt64(fields.u32(28))
        blockSize = UInt64(fields.u32(32))
        guard blockSize.nonzeroBitCount == 1, (512...Self.defaultBlockSize).contains(blockSize) else {
            throw BlockError(
                .unsupported, "VHD block size \(blockSize) is not a power of two from 512 bytes to 2 MiB")
        }
        guard tableOffset >= 512, tableOffset % 512 == 0, tableOffset < length, length - tableOffset >= entryCount * 4
        else {
            throw BlockError(.corrupt, "the VHD block table is not inside the file", offset: tableOffset)
        }
    }

    func encoded() -> [UInt8] { bytes }

    /// The UUID of the parent; nil when it is all zero.
    var parentIdentifier: [UInt8]? {
        let identifier = Array(bytes[40..<56])
        return identifier.allSatisfy { $0 == 0 } ? nil : identifier
    }

    var parentTimestamp: UInt32 { BigEndianBytes(bytes).u32(56) }

    /// The entries in use, in the order of the header.
    var locators: [VHDLocator] {
        (0..<8).compactMap { VHDLocator(Array(bytes[576 + 24 * $0..<600 + 24 * $0])) }
    }

    /// The parent's name field, decoded; nil when it is empty or no text. Big-endian, but for old ones of blktap, which
    /// begin with a byte order mark.
    var parentName: String? {
        let field = Array(bytes[64..<576])
        return VHDPathText.decodeUTF16(field, littleEndian: field[0] == 0xFF && field[1] == 0xFE)
    }

    /// Bytes of the table in the file, whole sectors, at least one.
    var tableSize: UInt64 { max((entryCount * 4 + 511) / 512, 1) * 512 }

    /// Bytes of the sector bitmap before each block's data.
    var bitmapSize: UInt64 { max((blockSize / 4096 + 511) / 512, 1) * 512 }

    /// Where the Xen block map would be.
    var batmapOffset: UInt64 { tableOffset + tableSize }
}
