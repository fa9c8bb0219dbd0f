import BlockIO
import CoreTypes
import Glibc

/// The 512-byte footer of every VHD, which dynamic ones repeat at their beginning. All fields big-endian.
///
/// | offset | width | field |           | offset | width | field |
/// |---|---|---|---|---|---|---|
/// | 0 | 8 | `conectix` |             | 40 | 8 | original size |
/// | 8 | 4 | features, bit 1 set |    | 48 | 8 | current size |
/// | 12 | 4 | version 0x00010000 |    | 56 | 4 | geometry: u16, u8, u8 |
/// | 16 | 8 | offset of the header |  | 60 | 4 | type: 2 fixed, 3 dynamic, 4 differencing |
/// | 24 | 4 | seconds since 2000 |    | 64 | 4 | checksum |
/// | 28 | 4 | creator |               | 68 | 16 | UUID |
/// | 32 | 4 | creator version |       | 84 | 1 | saved state |
/// | 36 | 4 | creator host OS |       | 85 | 1 | hidden (Xen) |
struct VHDFooter: Hashable, Sendable {
    enum Kind: UInt32 {
        case fixed = 2
        case dynamic = 3
        case differencing = 4
    }

    static let size = 512
    private static let cookie = Array("conectix".utf8)
    static let poison = Array("v_poison".utf8)

    /// The structure as stored, so that rewriting it keeps every byte.
    let bytes: [UInt8]
    let kind: Kind
    let headerOffset: UInt64
    let currentSize: UInt64
    let geometry: VHDGeometry
    /// Four characters.
    let creator: UInt32
    let creatorVersion: UInt32

    /// Reads a footer; nil when the bytes are none, or the checksum is wrong.
    init?(_ bytes: [UInt8]) {
        guard let footer = try? VHDFooter(checking: bytes) else { return nil }
        self = footer
    }

    /// Reads a footer of 512 bytes (511, as Virtual PC wrote them before 2004, when the last is given as 0).
    /// - Parameter allowsPoison: takes the footer of an image that was disabled on purpose, too.
    init(checking bytes: [UInt8], allowsPoison: Bool = false) throws(BlockError) {
        guard bytes.count == Self.size else { throw BlockError(.invalidImage, "not a VHD: too short for a footer") }
        guard Self.isMarked(bytes) || (allowsPoison && Self.isPoisoned(bytes)) else {
            throw BlockError(.invalidImage, "not a VHD: no footer")
        }
        let fields = BigEndianBytes(bytes)
        self.bytes = bytes
        creator = fields.u32(28)
        creatorVersion = fields.u32(32)
        headerOffset = fields.u64(16)
        currentSize = fields.u64(48)
        geometry = VHDGeometry(cylinders: fields.u16(56), heads: fields.u8(58), sectorsPerTrack: fields.u8(59))
        let stored = fields.u32(64)
        if stored != Self.checksum(bytes) {
            // Old blktap changed the hidden flag without the checksum.
            var visible = bytes
            visible[85] = 0
            guard creator == Self.tap, creatorVersion <= 0x0001_0001, stored == Self.checksum(visible) else {
                throw BlockError(.invalidImage, "the checksum of the VHD footer is wrong")
            }
        }
        guard fields.u32(12) >> 16 == 1 else {
            throw BlockError(.unsupported, "VHD format version \(fields.u32(12) >> 16) is not known")
        }
        guard let kind = Kind(rawValue: fields.u32(60)) else {
            throw BlockError(.invalidImage, "VHD disk type \(fields.u32(60)) is not fixed, dynamic or differencing")
        }
        self.kind = kind
    }

    /// The footer of a new image of `size` bytes, as XenServer's own tools write it, with a new UUID.
    init(new kind: Kind, size: UInt64) {
        var bytes = Self.cookie
        bytes.appendBigEndian(UInt32(2))
        bytes.appendBigEndian(UInt32(0x0001_0000))
        headerOffset = kind == .fixed ? .max : 512
        bytes.appendBigEndian(headerOffset)
        bytes.appendBigEndian(UInt32(clamping: time(nil) - 946_684_800))
        creator = Self.tap
        creatorVersion = 0x0001_0003
        bytes.appendBigEndian(creator)
        bytes.appendBigEndian(creatorVersion)
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(size)
        bytes.appendBigEndian(size)
        geometry = VHDGeometry(size: size)
        bytes.appendBigEndian(geometry.cylinders)
        bytes.append(geometry.heads)
        bytes.append(geometry.sectorsPerTrack)
        bytes.appendBigEndian(kind.rawValue)
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(UInt64.random(in: .min ... .max) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000)
        bytes.appendBigEndian(UInt64.random(in: .min ... .max) >> 2 | 1 << 63)
        bytes += [UInt8](repeating: 0, count: Self.size - bytes.count)
        bytes.replaceBigEndian(at: 64, with: Self.checksum(bytes))
        self.bytes = bytes
        self.kind = kind
        currentSize = size
    }

    static func isMarked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: cookie) }
    /// libvhd's mark of an image that must not be opened.
    static func isPoisoned(_ bytes: [UInt8]) -> Bool { bytes.starts(with: poison) }

    static let tap = fourCharacters("tap\0")

    static func fourCharacters(_ text: StaticString) -> UInt32 {
        precondition(text.utf8CodeUnitCount == 4)
        // SAFETY: four bytes, checked above.
        return (0..<4).reduce(0) { unsafe $0 << 8 | UInt32(text.utf8Start[$1]) }
    }

    /// One's complement of the byte sum, the field itself (at `field`) taken as zero.
    static func checksum(_ bytes: [UInt8], field: Int = 64) -> UInt32 {
        var sum: UInt32 = 0
        for (index, byte) in bytes.enumerated() where !(field..<field + 4).contains(index) { sum &+= UInt32(byte) }
        return ~sum
    }

    /// Printable characters of the creator, and its version where it has one.
    var creatorName: String {
        let letters = (0..<4).map { UInt8(truncatingIfNeeded: creator >> (24 - 8 * UInt32($0))) }
        let name = String(decoding: letters.filter { $0 > 32 && $0 < 127 }, as: UTF8.self)
        return "\(name) \(creatorVersion >> 16).\(creatorVersion & 0xFFFF)"
    }

    var identifier: String { Self.text(ofUUID: bytes[68..<84]) }

    /// A UUID of 16 bytes in lower case.
    static func text(ofUUID bytes: some Sequence<UInt8>) -> String {
        let hex = bytes.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        guard hex.count == 16 else { return "" }
        let groups = [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10..<16]]
        return groups.map { $0.joined() }.joined(separator: "-")
    }

    /// The creator presents the product of the geometry, not the current size: Virtual PC and older qemu.
    var followsGeometry: Bool {
        creator == Self.fourCharacters("vpc ") || creator == Self.fourCharacters("qemu")
    }

    /// The size the creator means.
    var virtualSize: UInt64 { size(by: .creator) }

    /// Bytes of the disk in whole sectors. A geometry of nothing says nothing, and the largest may be too small.
    func size(by choice: OpenPolicy.VHDSize) -> UInt64 {
        let usesGeometry =
            switch choice {
            case .creator: followsGeometry
            case .field: false
            case .geometry: true
            }
        let size = usesGeometry && geometry != .maximum && geometry.size > 0 ? geometry.size : currentSize
        return size.roundedDown(to: 512)
    }
}

extension [UInt8] {
    /// Stores an integer over the bytes at `offset`, most significant byte first. The bytes must exist.
    mutating func replaceBigEndian(at offset: Int, with value: UInt32) {
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(index))) }
    }
}
