import BlockIO
import Foundation

@testable import DiskImages

/// Makes VHDX files for tests, in a plain way that shares no code with the reader: what qemu-img cannot make, and what
/// nobody should.
struct VHDXBuilder {
    static let logOffset: UInt64 = 1 << 20
    static let metadataOffset: UInt64 = 2 << 20
    static let tableOffset: UInt64 = 3 << 20

    struct Block {
        var state: UInt64
        var data: [UInt8]?
    }

    struct Region {
        var id: String
        var offset: UInt64
        var length: UInt32
        var flags: UInt32 = 1
    }

    struct Item {
        var id: String
        var bytes: [UInt8]
        var flags: UInt32 = 4
        var offset: UInt32?
        var length: UInt32?
    }

    var size: UInt64
    var blockSize: UInt64 = 1 << 20
    var sector: UInt64 = 512
    var sequences: [UInt64] = [7, 8]
    var dataWriteID = "11111111-2222-3333-4444-555555555555"
    var logID = "00000000-0000-0000-0000-000000000000"
    var logLength: UInt32 = 1 << 20
    /// Pieces of the log's ring, by their places in it.
    var log: [(place: Int, bytes: [UInt8])] = []
    /// Keys and values of the parent locator; set: differencing.
    var locator: [(String, String)]?
    var blocks: [UInt64: Block] = [:]
    /// By chunk.
    var bitmaps: [UInt64: Block] = [:]
    var extraRegions: [Region] = []
    var extraItems: [Item] = []
    var regionCount: UInt32?
    var itemCount: UInt16?

    var ratio: UInt64 { (sector << 23) / blockSize }
    private var blockCount: UInt64 { (size + blockSize - 1) / blockSize }
    private var entryCount: UInt64 {
        if blockCount == 0 { return 0 }
        return locator == nil
            ? blockCount + (blockCount - 1) / ratio : (blockCount + ratio - 1) / ratio * (ratio + 1)
    }
    private var tableLength: UInt64 { max((entryCount * 8 + 0xF_FFFF) & ~0xF_FFFF, 1 << 20) }
    /// Where the first block goes.
    var dataOffset: UInt64 { Self.tableOffset + tableLength }

    /// The file offset of the table entry of a payload block.
    func entryPlace(_ block: UInt64) -> UInt64 { Self.tableOffset + (block + block / ratio) * 8 }

    /// Hands every piece of the file to `sink`; returns the length of the file.
    @discardableResult
    func write(_ sink: ([UInt8], UInt64) throws -> Void) throws -> UInt64 {
        var creator = Array("vhdxfile".utf8)
        for unit in "Gantry tests".utf16 { creator.little(unit) }
        try sink(creator, 0)
        for (index, sequence) in sequences.enumerated() {
            try sink(header(sequence), UInt64(64 << 10) << UInt64(index))
        }
        for offset in [192 << 10, 256 << 10] as [UInt64] { try sink(regionTable(), offset) }
        for (place, bytes) in log { try sink(bytes, Self.logOffset + UInt64(place)) }
        try sink(metadata(), Self.metadataOffset)
        var next = dataOffset
        var end = next
        for (key, block) in blocks.sorted(by: { $0.key < $1.key }) {
            var entry = block.state
            if let data = block.data {
                entry |= next
                try sink(data, next)
                next += blockSize
                end = next
            }
            try sink(entry.bytes, entryPlace(key))
        }
        for (chunk, block) in bitmaps.sorted(by: { $0.key < $1.key }) {
            var entry = block.state
            if let data = block.data {
                entry |= next
                try sink(data, next)
                next += 1 << 20
                end = next
            }
            try sink(entry.bytes, Self.tableOffset + (chunk * (ratio + 1) + ratio) * 8)
        }
        return end
    }

    /// Writes the file.
    func make(_ path: String) throws {
        let file = try ImageFile(path: path, access: .create)
        defer { file.close() }
        try file.truncate(to: write { try file.write(bytes: $0, at: $1) })
    }

    /// The same in memory.
    func store() throws -> StoreInMemory {
        let store = StoreInMemory()
        let end = try write { try store.store($0, at: $1) }
        try store.truncate(to: end)
        return store
    }

    func header(_ sequence: UInt64, logOffset: UInt64 = logOffset) -> [UInt8] {
        var bytes = Array("head".utf8) + [0, 0, 0, 0]
        bytes.little(sequence)
        bytes += Self.guid("99999999-8888-7777-6666-555555555555") + Self.guid(dataWriteID) + Self.guid(logID)
        bytes.little(UInt16(0))
        bytes.little(UInt16(1))
        bytes.little(logLength)
        bytes.little(logOffset)
        bytes += [UInt8](repeating: 0, count: 4096 - bytes.count)
        return Self.sealed(bytes)
    }

    func regionTable() -> [UInt8] {
        let regions =
            [
                Region(
                    id: "2DC27766-F623-4200-9D64-115E9BFD4A08", offset: Self.tableOffset, length: UInt32(tableLength)),
                Region(id: "8B7CA206-4790-4B9A-B8FE-575F050F886E", offset: Self.metadataOffset, length: 1 << 20),
            ] + extraRegions
        var bytes = Array("regi".utf8) + [0, 0, 0, 0]
        bytes.little(regionCount ?? UInt32(regions.count))
        bytes.little(UInt32(0))
        for region in regions {
            bytes += Self.guid(region.id)
            bytes.little(region.offset)
            bytes.little(region.length)
            bytes.little(region.flags)
        }
        bytes += [UInt8](repeating: 0, count: 65536 - bytes.count)
        return Self.sealed(bytes)
    }

    func metadata() -> [UInt8] {
        var items = [
            Item(
                id: "CAA16737-FA36-4D43-B3B6-33F0AA44E76B",
                bytes: UInt32(blockSize).bytes + UInt32(locator == nil ? 0 : 2).bytes),
            Item(id: "2FA54224-CD1B-4876-B211-5DBED83BF4B8", bytes: size.bytes, flags: 6),
            Item(id: "8141BF1D-A96F-4709-BA47-F233A8FAAB5F", bytes: UInt32(sector).bytes, flags: 6),
            Item(id: "CDA348C7-445D-4471-9CC9-E9885251C556", bytes: UInt32(4096).bytes, flags: 6),
            Item(id: "BECA12AB-B2E6-4523-93EF-C309E000C746", bytes: Array(1...16), flags: 6),
        ]
        if let locator { items.append(Item(id: "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C", bytes: Self.encode(locator))) }
        items += extraItems
        var table = Array("metadata".utf8) + [0, 0]
        table.little(itemCount ?? UInt16(items.count))
        table += [UInt8](repeating: 0, count: 20)
        var content: [UInt8] = []
        for item in items {
            table += Self.guid(item.id)
            table.little(item.offset ?? UInt32(65536 + content.count))
            table.little(item.length ?? UInt32(item.bytes.count))
            table.little(item.flags)
            table.little(UInt32(0))
            content += item.bytes
        }
        return table + [UInt8](repeating: 0, count: 65536 - table.count) + content
    }

    private static func encode(_ locator: [(String, String)]) -> [UInt8] {
        var bytes = guid("B04AEFB7-D19E-4A81-B789-25B8E9445913")
        bytes.little(UInt16(0))
        bytes.little(UInt16(locator.count))
        var content: [UInt8] = []
        let start = 20 + 12 * locator.count
        for (key, value) in locator {
            let key = key.utf16.flatMap(\.bytes)
            let value = value.utf16.flatMap(\.bytes)
            bytes.little(UInt32(start + content.count))
            bytes.little(UInt32(start + content.count + key.count))
            bytes.little(UInt16(key.count))
            bytes.little(UInt16(value.count))
            content += key + value
        }
        return bytes + content
    }

    /// A log entry. `changes`: pages of 4096 bytes, or zeroed lengths, by file offset.
    enum Change {
        case page(UInt64, [UInt8])
        case zeroes(UInt64, UInt64)
    }

    func logEntry(
        _ sequence: UInt64, tail: UInt32, _ changes: [Change], flushed: UInt64 = 0, last: UInt64 = 0, id: String? = nil
    ) -> [UInt8] {
        var descriptors: [UInt8] = []
        var data: [UInt8] = []
        for change in changes {
            switch change {
            case .page(let offset, let bytes):
                descriptors += Array("desc".utf8) + bytes[4092...] + bytes[..<8] + offset.bytes + sequence.bytes
                data += Array("data".utf8) + UInt32(sequence >> 32).bytes + bytes[8..<4092]
                data += UInt32(truncatingIfNeeded: sequence).bytes
            case .zeroes(let offset, let length):
                descriptors += Array("zero".utf8) + [0, 0, 0, 0] + length.bytes + offset.bytes + sequence.bytes
            }
        }
        let front = (64 + descriptors.count + 4095) / 4096 * 4096
        var bytes = Array("loge".utf8) + [0, 0, 0, 0]
        bytes.little(UInt32(front + data.count))
        bytes.little(tail)
        bytes.little(sequence)
        bytes.little(UInt32(changes.count))
        bytes.little(UInt32(0))
        bytes += Self.guid(id ?? logID)
        bytes.little(flushed)
        bytes.little(last)
        bytes += descriptors
        bytes += [UInt8](repeating: 0, count: front - bytes.count) + data
        return Self.sealed(bytes)
    }

    /// The bytes with their checksum, CRC-32C bit by bit, at 4.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for index in 4..<8 { bytes[index] = 0 }
        var crc = UInt32.max
        for byte in bytes { crc = crc >> 8 ^ table[Int((crc ^ UInt32(byte)) & 0xFF)] }
        bytes.replaceSubrange(4..<8, with: (~crc).bytes)
        return bytes
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { word, _ in word & 1 == 0 ? word >> 1 : word >> 1 ^ 0x82F6_3B78 }
    }

    static func guid(_ text: String) -> [UInt8] {
        let uuid = UUID(uuidString: text)?.uuid ?? UUID().uuid
        return [
            uuid.3, uuid.2, uuid.1, uuid.0, uuid.5, uuid.4, uuid.7, uuid.6,
            uuid.8, uuid.9, uuid.10, uuid.11, uuid.12, uuid.13, uuid.14, uuid.15,
        ]
    }
}

extension FixedWidthInteger {
    /// Little-endian.
    var bytes: [UInt8] { (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}

extension [UInt8] {
    mutating func little(_ value: some FixedWidthInteger) { self += value.bytes }
}

/// Opens a VHDX file in memory.
func openVHDX(_ store: any ImageStorage) throws -> VHDXDevice {
    try VHDXImage.open(storage: store, context: ImportContext(policy: .standalone))
}
