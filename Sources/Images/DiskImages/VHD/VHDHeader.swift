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
/// | 40… | | parent id, name and locators: zero unless differencing |
struct VHDHeader: Hashable, Sendable {
    static let size = 1024
    static let defaultBlockSize: UInt64 = 2 << 20
    private static let cookie = Array("cxsparse".utf8)

    let tableOffset: UInt64
    let entryCount: UInt64
    /// A power of two from 512 to 2 MiB.
    let blockSize: UInt64

    init(tableOffset: UInt64, entryCount: UInt64, blockSize: UInt64) {
        self.tableOffset = tableOffset
        self.entryCount = entryCount
        self.blockSize = blockSize
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

    func encoded() -> [UInt8] {
        var bytes = Self.cookie
        bytes.appendBigEndian(UInt64.max)
        bytes.appendBigEndian(tableOffset)
        bytes.appendBigEndian(UInt32(0x0001_0000))
        bytes.appendBigEndian(UInt32(clamping: entryCount))
        bytes.appendBigEndian(UInt32(clamping: blockSize))
        bytes += [UInt8](repeating: 0, count: Self.size - bytes.count)
        bytes.replaceBigEndian(at: 36, with: VHDFooter.checksum(bytes, field: 36))
        return bytes
    }

    /// Bytes of the table in the file, whole sectors, at least one.
    var tableSize: UInt64 { max((entryCount * 4 + 511) / 512, 1) * 512 }

    /// Bytes of the sector bitmap before each block's data.
    var bitmapSize: UInt64 { max((blockSize / 4096 + 511) / 512, 1) * 512 }

    /// Where the Xen block map would be.
    var batmapOffset: UInt64 { tableOffset + tableSize }
}
