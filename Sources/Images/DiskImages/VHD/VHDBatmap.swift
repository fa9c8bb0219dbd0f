import BlockIO
import CoreTypes

/// The Xen map of full blocks, `tdbatmap`: a bit per block, most significant first, set when every sector of the block
/// is present, so that its sector bitmap need not be read. A cache: a clear bit is always right.
///
/// | offset | width | field |
/// |---|---|---|
/// | 0 | 8 | `tdbatmap` |
/// | 8 | 8 | file offset of the map |
/// | 16 | 4 | its size in sectors |
/// | 20 | 4 | version 1.2 |
/// | 24 | 4 | checksum of the map |
struct VHDBatmap {
    private static let cookie = Array("tdbatmap".utf8)
    private static let version: UInt32 = 0x0001_0002

    /// The header as stored; its private fields (marker, key hash) are kept.
    private var head: [UInt8]
    let headOffset: UInt64
    let mapOffset: UInt64
    /// Bytes in the file.
    let mapSize: UInt64
    /// Bytes that the checksum covers.
    private(set) var checkedSize: Int

    /// The map of a new image.
    init(new header: VHDHeader, virtualSize: UInt64) {
        headOffset = header.batmapOffset
        mapOffset = headOffset + 512
        mapSize = Self.neededSize(header.entryCount)
        checkedSize = Self.checkedSize(virtualSize, mapSize)
        head = Self.cookie
        head.appendBigEndian(mapOffset)
        head.appendBigEndian(UInt32(clamping: mapSize / 512))
        head.appendBigEndian(Self.version)
        head += [UInt8](repeating: 0, count: 512 - head.count)
    }

    /// The map of an image on disk; nil when its creator writes none, or what is there is none.
    init?(file: any ImageStorage, layout: VHDLayout, header: VHDHeader) throws(BlockError) {
        let footer = layout.footer
        guard Self.isWritten(by: footer) else { return nil }
        headOffset = header.batmapOffset
        guard layout.fileLength >= headOffset + 512 else { return nil }
        head = try file.array(at: headOffset, count: 512)
        guard head.starts(with: Self.cookie) else { return nil }
        let fields = BigEndianBytes(head)
        mapOffset = fields.u64(8)
        mapSize = UInt64(fields.u32(16)) * 512
        let needed = Self.neededSize(layout.virtualSize.dividedRoundingUp(by: header.blockSize))
        // Behind its header, so never over other metadata, and wholly in the file.
        guard mapOffset % 512 == 0, mapOffset >= headOffset + 512, mapSize >= needed, mapSize <= 64 << 20,
            mapOffset < layout.fileLength, mapSize <= layout.fileLength - mapOffset
        else { return nil }
        checkedSize = Self.checkedSize(footer.currentSize, mapSize)
    }

    /// Whether all of it lies before `end`.
    func isWithin(_ end: UInt64) -> Bool { headOffset + 512 <= end && mapOffset + mapSize <= end }

    /// Whether a block lies where the map says it is: then it is none. One that reached past the end of its file, and was
    /// none for that, can come to lie inside when the file grows.
    func lies(over table: VHDBlockTable, _ header: VHDHeader) -> Bool {
        let stride = header.bitmapSize + header.blockSize
        for block in 0..<table.count {
            guard let start = table.start(of: block) else { continue }
            if start < headOffset + 512 && headOffset < start + stride { return true }
            if start < mapOffset + mapSize && mapOffset < start + stride { return true }
        }
        return false
    }

    /// The part of the map that the checksum covers, or nil when the checksum is wrong: nothing is known of any block then.
    func load(file: any ImageStorage) throws(BlockError) -> [UInt8]? {
        let map = try file.array(at: mapOffset, count: Int(mapSize))
        let stored = BigEndianBytes(head).u32(24)
        return stored == Self.checksum(map[..<checkedSize]) || stored == Self.signedChecksum(map[..<checkedSize])
            ? Array(map[..<checkedSize]) : nil
    }

    /// Stores map and checksum. `map` is padded to the size in the file.
    mutating func store(_ map: [UInt8], file: any ImageStorage) throws(BlockError) {
        let padded = map + [UInt8](repeating: 0, count: Int(mapSize) - min(map.count, Int(mapSize)))
        head.replaceBigEndian(at: 20, with: Self.version)
        head.replaceBigEndian(at: 24, with: Self.checksum(padded[..<checkedSize]))
        if mapOffset == headOffset + 512 {
            try file.store(head + padded, at: headOffset)
        } else {
            try file.store(padded, at: mapOffset)
            try file.store(head, at: headOffset)
        }
    }

    /// Makes the checksum cover the part of a disk of another size; the next `store` applies it. The map has room.
    mutating func resize(to virtualSize: UInt64) { checkedSize = Self.checkedSize(virtualSize, mapSize) }

    /// Creators whose images have such a map.
    static func isWritten(by footer: VHDFooter) -> Bool {
        footer.creator == VHDFooter.tap && footer.creatorVersion >= 0x0001_0001
    }

    static func neededSize(_ blocks: UInt64) -> UInt64 {
        max(blocks.dividedRoundingUp(by: 8).dividedRoundingUp(by: 512), 1) * 512
    }

    /// The part for the size of the disk, reckoned at 2 MiB a block whatever the block size is, as libvhd does.
    private static func checkedSize(_ virtualSize: UInt64, _ mapSize: UInt64) -> Int {
        Int(min(max((virtualSize >> 24).dividedRoundingUp(by: 512), 1) * 512, mapSize))
    }

    private static func checksum(_ map: ArraySlice<UInt8>) -> UInt32 {
        ~map.reduce(0 as UInt32) { $0 &+ UInt32($1) }
    }

    /// How version 1.1 summed: as signed characters.
    private static func signedChecksum(_ map: ArraySlice<UInt8>) -> UInt32 {
        ~map.reduce(0 as UInt32) { $0 &+ UInt32(truncatingIfNeeded: Int8(bitPattern: $1)) }
    }
}
