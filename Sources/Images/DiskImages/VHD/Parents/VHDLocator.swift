import BlockIO

/// One of the header's eight references to a stored path of the parent. 24 bytes, big-endian.
///
/// | offset | width | field |
/// |---|---|---|
/// | 0 | 4 | platform: how the path is spelt |
/// | 4 | 4 | space reserved for it |
/// | 8 | 4 | bytes of the path |
/// | 12 | 4 | 0 |
/// | 16 | 8 | file offset of the path |
struct VHDLocator: Hashable, Sendable {
    /// Windows path relative to the child, UTF-16LE.
    static let relativeWindows = VHDFooter.fourCharacters("W2ru")
    /// Windows path, UTF-16LE.
    static let absoluteWindows = VHDFooter.fourCharacters("W2ku")
    /// `file://` and a path, UTF-8.
    static let fileURL = VHDFooter.fourCharacters("MACX")

    let code: UInt32
    /// Bytes reserved; nil when the field is neither bytes nor sectors.
    let space: UInt64?
    let length: UInt64
    let offset: UInt64

    init(code: UInt32, space: UInt64, length: UInt64, offset: UInt64) {
        self.code = code
        self.space = space
        self.length = length
        self.offset = offset
    }

    /// Reads an entry; nil for an unused one.
    init?(_ bytes: [UInt8]) {
        let fields = BigEndianBytes(bytes)
        code = fields.u32(0)
        if code == 0 { return nil }
        // The specification says sectors, and everybody writes bytes.
        let space = UInt64(fields.u32(4))
        self.space = space < 512 ? space * 512 : space % 512 == 0 ? space : nil
        length = UInt64(fields.u32(8))
        offset = fields.u64(16)
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(code)
        bytes.appendBigEndian(UInt32(clamping: space ?? 0))
        bytes.appendBigEndian(UInt32(clamping: length))
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(offset)
        return bytes
    }

    /// File range that belongs to the entry; nil when it does not lie in a file of `fileLength` bytes.
    func range(fileLength: UInt64) -> Range<UInt64>? {
        guard let space, length <= space, offset >= 512, offset <= fileLength, length <= fileLength - offset else {
            return nil
        }
        // A reserved space may reach past the end of the file: nothing of it is there then.
        return offset..<offset + min(space, fileLength - offset)
    }

    /// The name of the platform, for people.
    var name: String {
        let letters = (0..<4).map { UInt8(truncatingIfNeeded: code >> (24 - 8 * UInt32($0))) }
        return String(decoding: letters.map { $0 > 32 && $0 < 127 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
