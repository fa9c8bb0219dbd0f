/// The header of one entry of a VHDX log.
struct VHDXLogEntry: Hashable, Sendable {
    /// | offset | width | field |
    /// | --- | --- | --- |
    /// | 0 | 4 | `loge` |
    /// | 4 | 4 | CRC-32C of the entry |
    /// | 8 | 4 | length |
    /// | 12 | 4 | place in the ring of the first entry that still counts |
    /// | 16 | 8 | sequence number, not 0 |
    /// | 24 | 4 | descriptors |
    /// | 32 | 16 | session |
    /// | 48, 56 | 8, 8 | length of the file that was durable; that the file must be brought to |
    static let headerBytes = 64
    static let sectorBytes: UInt64 = 4096
    static let descriptorBytes: UInt64 = 32

    /// Place in the ring.
    let start: UInt64
    let checksum: UInt32
    let length: UInt64
    let tail: UInt64
    let sequence: UInt64
    let descriptorCount: UInt64
    let session: WindowsGUID
    let flushedLength: UInt64
    let lastLength: UInt64

    /// Nil when the sector does not begin an entry or its numbers cannot be right in a ring of `ring` bytes.
    init?(_ sector: LittleEndianBytes, start: UInt64, ring: UInt64) {
        guard sector.hasMark("loge", at: 0) else { return nil }
        self.start = start
        checksum = sector.u32(4)
        length = UInt64(sector.u32(8))
        tail = UInt64(sector.u32(12))
        sequence = sector.u64(16)
        descriptorCount = UInt64(sector.u32(24))
        session = WindowsGUID(sector, at: 32)
        flushedLength = sector.u64(48)
        lastLength = sector.u64(56)
        guard length > 0, length % Self.sectorBytes == 0, length <= ring, tail % Self.sectorBytes == 0, tail < ring,
            sequence != 0, descriptorSectors * Self.sectorBytes <= length
        else { return nil }
    }

    /// Sectors of the header and the descriptors, which the data sectors follow.
    var descriptorSectors: UInt64 {
        let bytes = UInt64(Self.headerBytes) + descriptorCount * Self.descriptorBytes
        return (bytes + Self.sectorBytes - 1) / Self.sectorBytes
    }
}
