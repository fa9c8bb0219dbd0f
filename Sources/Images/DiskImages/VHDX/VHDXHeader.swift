import BlockIO

/// The current one of a VHDX file's two headers, and what it says.
struct VHDXHeader: Hashable, Sendable {
    /// | offset | width | field |
    /// | --- | --- | --- |
    /// | 0 | 4 | `head` |
    /// | 4 | 4 | CRC-32C of these 4096 bytes |
    /// | 8 | 8 | sequence number |
    /// | 16 | 16 | changes when the file is written |
    /// | 32 | 16 | changes when the disk's content does |
    /// | 48 | 16 | session of the log; zero: nothing is logged |
    /// | 64, 66 | 2, 2 | version of the log, of the file |
    /// | 68, 72 | 4, 8 | length and offset of the log |
    static let byteCount = 4096
    static let offsets: [UInt64] = [64 << 10, 128 << 10]
    /// The first byte that may be used by anything but headers and region tables.
    static let firstFree: UInt64 = 1 << 20

    let sequence: UInt64
    let dataWriteID: WindowsGUID
    let logID: WindowsGUID
    let log: Range<UInt64>
    /// Which of the two it is, and what is wrong with the other.
    let note: String?

    /// Whether the bytes begin as a file of this format does.
    static func isMarked(_ bytes: [UInt8]) -> Bool { LittleEndianBytes(bytes).hasMark("vhdxfile", at: 0) }

    /// Reads both headers; only their fields are checked here, against the file's length.
    init(file: any ImageStorage) throws(BlockError) {
        let mark = try file.array(at: 0, count: 8)
        guard Self.isMarked(mark) else {
            throw BlockError(.invalidImage, "not a VHDX file: the mark vhdxfile is missing")
        }
        var valid: [(bytes: [UInt8], sequence: UInt64)] = []
        for offset in Self.offsets {
            let bytes = try file.array(at: offset, count: Self.byteCount)
            let fields = LittleEndianBytes(bytes)
            if fields.hasMark("head", at: 0), fields.u32(4) == CRC32C.of(bytes, zeroing: 4) {
                valid.append((bytes, fields.u64(8)))
            }
        }
        guard var current = valid.first else {
            throw BlockError(.corrupt, "neither of the VHDX file's two headers is whole")
        }
        if valid.count > 1 {
            let other = valid[1]
            if other.sequence == current.sequence && other.bytes != current.bytes {
                throw BlockError(
                    .corrupt, "the two headers of the VHDX file differ and have the same sequence number")
            }
            if other.sequence > current.sequence { current = other }
        }
        note = valid.count > 1 ? nil : "one of the two headers is damaged; the other one was used"
        let fields = LittleEndianBytes(current.bytes)
        sequence = current.sequence
        dataWriteID = WindowsGUID(fields, at: 32)
        logID = WindowsGUID(fields, at: 48)
        guard fields.u16(66) == 1 else {
            throw BlockError(.unsupported, "VHDX files of version \(fields.u16(66)) are not known; 1 is")
        }
        guard fields.u16(64) == 0 || logID == .zero else {
            throw BlockError(.unsupported, "VHDX logs of version \(fields.u16(64)) are not known; 0 is")
        }
        let length = UInt64(fields.u32(68))
        let offset = fields.u64(72)
        if logID == .zero && length == 0 {
            log = 0..<0
            return
        }
        guard length > 0, length % (1 << 20) == 0, offset % (1 << 20) == 0, offset >= Self.firstFree,
            offset <= UInt64(Int64.max) - length
        else {
            throw BlockError(
                .corrupt, "the VHDX log of \(length) bytes at byte \(offset) is not where a log can be")
        }
        log = offset..<offset + length
    }
}
