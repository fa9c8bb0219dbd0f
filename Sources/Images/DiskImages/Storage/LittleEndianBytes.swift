/// Bounds-checked little-endian fields of a block of bytes. Bytes past the end read as zero.
struct LittleEndianBytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func u8(_ offset: Int) -> UInt8 { offset >= 0 && offset < bytes.count ? bytes[offset] : 0 }

    func u16(_ offset: Int) -> UInt16 { UInt16(u8(offset)) | UInt16(u8(offset + 1)) << 8 }

    func u32(_ offset: Int) -> UInt32 { UInt32(u16(offset)) | UInt32(u16(offset + 2)) << 16 }

    func u64(_ offset: Int) -> UInt64 { UInt64(u32(offset)) | UInt64(u32(offset + 4)) << 32 }

    /// The bytes at `offset` are the characters of `mark`, one byte each.
    func hasMark(_ mark: String, at offset: Int) -> Bool {
        let wanted = Array(mark.utf8)
        return offset >= 0 && bytes.count - offset >= wanted.count
            && bytes[offset..<offset + wanted.count].elementsEqual(wanted)
    }
}
