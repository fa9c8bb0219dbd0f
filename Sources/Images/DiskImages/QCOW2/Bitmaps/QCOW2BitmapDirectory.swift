internal import BlockIO
internal import CoreTypes

/// One entry of the directory of persistent bitmaps.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 8 | bitmap table offset |
/// | 8 | 4 | entries of that table |
/// | 12 | 4 | flags |
/// | 16 | 1 | type, 1: a record of writes |
/// | 17 | 1 | log2 of the granularity |
/// | 18 | 2 | bytes of the name |
/// | 20 | 4 | bytes of extra data |
/// | 24 | | extra data, name, padding to 8 |
struct QCOW2BitmapEntry: Sendable {
    var tableOffset: UInt64
    var tableEntries: UInt32
    var flags: UInt32
    var type: UInt8 = 1
    var granularityBits: UInt8
    var name: [UInt8]
    var extra: [UInt8] = []

    static let fixedBytes = 24
    static let mostName = 1023
    static let mostExtra = 65536
    static let granularities = 9...31

    /// Writes were, or may have been, made that are not stored in it.
    static let inUse: UInt32 = 1
    /// Writes are to be noted in it.
    static let auto: UInt32 = 2
    /// Its extra data, which we do not know, does not change what it means.
    static let extraCompatible: UInt32 = 4

    var isInUse: Bool { flags & Self.inUse != 0 }
    var isAuto: Bool { flags & Self.auto != 0 }
    /// It is of a kind that we know.
    var isUnderstood: Bool { type == 1 && (extra.isEmpty || flags & Self.extraCompatible != 0) }

    func info(isConsistent: Bool) -> BitmapInfo {
        BitmapInfo(
            name: String(decoding: name, as: UTF8.self), granularity: 1 << UInt64(granularityBits), isEnabled: isAuto,
            isInconsistent: !isConsistent)
    }

    func append(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(tableOffset)
        bytes.appendBigEndian(tableEntries)
        bytes.appendBigEndian(flags)
        bytes += [type, granularityBits]
        bytes.appendBigEndian(UInt16(truncatingIfNeeded: name.count))
        bytes.appendBigEndian(UInt32(truncatingIfNeeded: extra.count))
        bytes += extra + name
        bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    }

    /// Clusters of bits, each a table entry, for a disk of `size` bytes.
    func clusters(forSize size: UInt64, _ geometry: QCOW2Geometry) -> UInt64 {
        let bits = size.dividedRoundingUp(by: 1 << UInt64(granularityBits))
        return geometry.clusters(bits.dividedRoundingUp(by: 8))
    }
}

struct QCOW2BitmapDirectory: Sendable {
    var entries: [QCOW2BitmapEntry] = []
    var offset: UInt64 = 0
    var length: UInt64 = 0

    static let most = 65535

    init() {}

    /// Reads and checks the directory that `header` names; none is no error. `.corrupt` for what is not legal.
    init(_ header: QCOW2Header, _ geometry: QCOW2Geometry, _ storage: any ImageStorage) throws(BlockError) {
        guard header.version >= 3, let directory = header.extensions.bitmapDirectory else { return }
        offset = directory.offset
        length = directory.length
        let count = Int(header.extensions.bitmapCount)
        guard let fileEnd = try storage.size().roundedUp(to: geometry.clusterSize), count >= 1, count <= Self.most,
            length <= QCOW2Limits.bitmapDirectoryBytes, length >= UInt64(count * QCOW2BitmapEntry.fixedBytes),
            offset & geometry.clusterMask == 0, offset >= geometry.clusterSize, offset < fileEnd,
            length <= fileEnd - offset
        else { throw Self.broken("the directory of bitmaps is not aligned, not inside the file or too long", offset) }
        let bytes = try storage.array(at: offset, count: Int(length))
        let data = BigEndianBytes(bytes)
        var position = 0
        var names: Set<[UInt8]> = []
        for _ in 0..<count {
            guard bytes.count - position >= QCOW2BitmapEntry.fixedBytes else {
                throw Self.broken("the directory of bitmaps ends inside an entry", offset)
            }
            let nameCount = Int(data.u16(position + 18))
            let extraCount = Int(data.u32(position + 20))
            let start = position + QCOW2BitmapEntry.fixedBytes
            guard nameCount >= 1, nameCount <= QCOW2BitmapEntry.mostName, extraCount <= QCOW2BitmapEntry.mostExtra,
                bytes.count - start >= nameCount + extraCount
            else { throw Self.broken("an entry of the directory of bitmaps is not legal", offset) }
            let end = start + extraCount + nameCount
            let entry = QCOW2BitmapEntry(
                tableOffset: data.u64(position), tableEntries: data.u32(position + 8), flags: data.u32(position + 12),
                type: data.u8(position + 16), granularityBits: data.u8(position + 17),
                name: Array(bytes[end - nameCount..<end]), extra: Array(bytes[start..<start + extraCount]))
            let tableBytes = UInt64(entry.tableEntries) * 8
            guard names.insert(entry.name).inserted,
                QCOW2BitmapEntry.granularities.contains(Int(entry.granularityBits)),
                entry.tableOffset & geometry.clusterMask == 0, entry.tableOffset >= geometry.clusterSize,
                entry.tableOffset < fileEnd, tableBytes <= fileEnd - entry.tableOffset
            else { throw Self.broken("a bitmap's table or granularity is not legal", offset) }
            entries.append(entry)
            position = (end + 7) & ~7
        }
        length = UInt64(position)
    }

    private static func broken(_ what: String, _ offset: UInt64) -> BlockError {
        BlockError(.corrupt, "\(what); the disk's data is not concerned", offset: offset)
    }

    func encoded() throws(BlockError) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries { entry.append(to: &bytes) }
        guard UInt64(bytes.count) <= QCOW2Limits.bitmapDirectoryBytes, entries.count <= Self.most else {
            throw BlockError(
                .limitExceeded, "the image cannot keep more bitmaps: \(Self.most), in 64 MiB, are the most")
        }
        return bytes
    }

    func index(of name: String) throws(BlockError) -> Int {
        let bytes = Array(name.utf8)
        guard let index = entries.firstIndex(where: { $0.name == bytes }) else {
            throw BlockError(.notFound, "there is no bitmap “\(name)”")
        }
        return index
    }
}
