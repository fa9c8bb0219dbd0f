import BlockIO
import TestSupport
import Testing

@testable import DiskImages

/// Case 5.4: files that lie. They open or throw; they never trap, nothing is written, and little memory is taken.
@Suite struct VHDXHostileTests {
    private static let id = "0A0B0C0D-0102-0304-0506-0708090A0B0C"
    private static let unknown = "DEADBEEF-0102-0304-0506-0708090A0B0C"

    private func found(_ change: (inout VHDXBuilder) -> Void) throws -> BlockError.Code? {
        var builder = VHDXBuilder(size: 3 << 20)
        builder.blocks[0] = VHDXBuilder.Block(state: 6, data: [1])
        change(&builder)
        let store = try builder.store()
        return code { _ = try openVHDX(store).bytes(at: 0, count: 1) }
    }

    @Test("regions are where regions can be (case 5.4)")
    func regionsAreWhereRegionsCanBe() throws {
        func region(_ offset: UInt64, _ length: UInt32, flags: UInt32 = 0, id: String = Self.unknown)
            -> VHDXBuilder.Region
        {
            VHDXBuilder.Region(id: id, offset: offset, length: length, flags: flags)
        }
        #expect(try found { _ in } == nil)
        #expect(try found { $0.extraRegions = [region(4 << 20, 1 << 20)] } == nil)
        #expect(try found { $0.extraRegions = [region(4 << 20, 1 << 20, flags: 1)] } == .unsupported)
        for (offset, length) in [
            (3 << 20, 1 << 20), (1 << 20, 1 << 20), (2 << 20, 2 << 20), (1 << 19, 1 << 20), (0, 1 << 20),
            ((4 << 20) + 512, 1 << 20), (4 << 20, 512), (4 << 20, 0), (4 << 20, 0xFFF0_0000), (1 << 62, 1 << 20),
            (UInt64.max - 0xF_FFFF, 1 << 20),
        ] as [(UInt64, UInt32)] {
            #expect(try found { $0.extraRegions = [region(offset, length)] } == .corrupt, "\(offset) \(length)")
        }
        let table = "2DC27766-F623-4200-9D64-115E9BFD4A08"
        #expect(try found { $0.extraRegions = [region(4 << 20, 1 << 20, id: table)] } == .corrupt)
        #expect(try found { $0.regionCount = 1 } == .corrupt)
        #expect(try found { $0.regionCount = 2047 } != nil)
        #expect(try found { $0.regionCount = 2048 } == .corrupt)
        #expect(try found { $0.regionCount = .max } == .corrupt)
    }

    @Test("metadata are where metadata can be (case 5.4)")
    func metadataAreWhereMetadataCanBe() throws {
        typealias Item = VHDXBuilder.Item
        #expect(try found { $0.extraItems = [Item(id: Self.unknown, bytes: [1], flags: 0)] } == nil)
        #expect(try found { $0.extraItems = [Item(id: Self.unknown, bytes: [1], flags: 4)] } == .unsupported)
        #expect(try found { $0.itemCount = 4 } == nil)
        #expect(try found { $0.itemCount = 2 } == .corrupt)
        #expect(try found { $0.itemCount = 2048 } == .corrupt)
        #expect(try found { $0.itemCount = .max } == .corrupt)
        let size = "2FA54224-CD1B-4876-B211-5DBED83BF4B8"
        #expect(try found { $0.extraItems = [Item(id: size, bytes: UInt64(512).bytes)] } == .corrupt)
        let locator = "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C"
        for (offset, length) in [(0, 8), (65535, 8), (65536, 1 << 21), (1 << 20, 8), ((1 << 20) - 4, 8), (.max, .max)]
            as [(UInt32, UInt32)]
        {
            #expect(
                try found { $0.extraItems = [Item(id: locator, bytes: [], offset: offset, length: length)] }
                    == .corrupt,
                "\(offset) \(length)")
        }
        for blockSize in [0, 1, 512, 1 << 19, 3 << 20, (1 << 20) + 1, 512 << 20, 1 << 31, .max] as [UInt32] {
            let bytes = blockSize.bytes + [0, 0, 0, 0]
            #expect(
                try found { builder in
                    builder.itemCount = 6
                    builder.extraItems = [Item(id: "CAA16737-FA36-4D43-B3B6-33F0AA44E76B", bytes: bytes)]
                } == .corrupt)
            #expect(try parameters(bytes, at: 65536) == .corrupt, "\(blockSize)")
        }
        for sector in [0, 1, 513, 1024, 8192, .max] as [UInt32] {
            #expect(try parameters(sector.bytes, at: 65536 + 16) == .corrupt, "\(sector)")
        }
        #expect(try parameters(UInt64(1000).bytes, at: 65536 + 8) == .corrupt)
        #expect(try parameters(UInt64.max.bytes, at: 65536 + 8) == .limitExceeded)
        // More blocks than the table has room for.
        #expect(try parameters(UInt64(1 << 40).bytes, at: 65536 + 8) == .corrupt)
    }

    /// What opening says when these bytes are put into the metadata region.
    private func parameters(_ bytes: [UInt8], at offset: UInt64) throws -> BlockError.Code? {
        let store = try VHDXBuilder(size: 3 << 20).store()
        try store.store(bytes, at: VHDXBuilder.metadataOffset + offset)
        return code { _ = try openVHDX(store) }
    }

    @Test func blocksLieInTheFileAndNotOverItsTables() throws {
        for offset in [0, 1, 2, 3, 1 << 20, 1 << 43] as [UInt64] {
            let entry = offset << 20 | 6
            let found = try found { $0.blocks[0] = VHDXBuilder.Block(state: entry) }
            #expect(found == .corrupt, "\(offset)")
        }
        // Two blocks at one place, and reserved bits, harm nobody who only reads.
        #expect(
            try found {
                $0.blocks[0] = VHDXBuilder.Block(state: 6, data: [7])
                $0.blocks[1] = VHDXBuilder.Block(state: 6 | 4 << 20 | 0xFFF8)
            } == nil)
    }

    /// A file with every structure: a log to apply, a parent's bitmap, blocks of all kinds.
    private func sample(_ random: inout SeededRandom) throws -> (VHDXBuilder, StoreInMemory) {
        var builder = VHDXBuilder(size: 3 << 20)
        builder.logID = Self.id
        for block in 0..<3 as Range<UInt64> {
            builder.blocks[block] = VHDXBuilder.Block(state: block == 1 ? 2 : 6, data: random.bytes(512))
        }
        let page = try builder.store().array(at: VHDXBuilder.tableOffset, count: 4096)
        builder.log = [
            (
                0,
                builder.logEntry(
                    1, tail: 0, [.page(VHDXBuilder.tableOffset, page), .zeroes(5 << 20, 8192)], last: 8 << 20)
            )
        ]
        return (builder, try builder.store())
    }

    private func exercise(_ store: StoreInMemory) {
        _ = try? VHDXImage.info(storage: store)
        guard let device = try? openVHDX(store) else { return }
        for extent in (try? device.extents(at: 0, length: min(device.size, 1 << 34))) ?? [] where extent.kind == .data {
            _ = try? device.bytes(at: extent.offset, count: Int(min(extent.length, 65536)))
        }
        _ = try? device.bytes(at: 0, count: Int(min(device.size, 65536)))
        _ = try? device.bytes(at: device.size - min(device.size, 512), count: Int(min(device.size, 512)))
    }

    @Test func mutatedFieldsNeverTrap() throws {
        var random = SeededRandom.printed()
        let (_, store) = try sample(&random)
        let values: [UInt64] = [
            0, 1, 0xFFF, 1 << 16, (1 << 20) - 1, 1 << 20, 1 << 31, UInt64(UInt32.max), 1 << 63, .max,
            random.next(),
        ]
        // Start and length of the sealed structure around a field (0: not sealed), and the fields in it.
        let metadata = Int(VHDXBuilder.metadataOffset)
        let places: [(start: Int, length: Int, fields: [Int])] = [
            (64 << 10, 4096, [8, 48, 64, 66, 68, 72]), (128 << 10, 4096, [8, 48, 64, 66, 68, 72]),
            (192 << 10, 65536, [8, 16, 32, 40, 44, 64, 72]),
            (metadata, 0, [0, 10, 32, 48, 52, 56, 80, 84, 65536, 65540, 65544, 65552, 65556]),
            (Int(VHDXBuilder.tableOffset), 0, [0, 8, 16]),
            (1 << 20, 12288, [0, 8, 12, 16, 24, 32, 48, 56, 64, 68, 72, 80, 88, 96, 104, 112, 120, 4096 + 64]),
        ]
        for (start, length, fields) in places {
            let whole = try store.array(at: UInt64(start), count: max(length, 65536 + 4096))
            for field in fields {
                for value in values {
                    var bytes = whole
                    bytes.replaceSubrange(field..<field + 8, with: value.bytes)
                    if length > 0 {
                        bytes.replaceSubrange(..<length, with: VHDXBuilder.sealed(Array(bytes[..<length])))
                    }
                    try store.store(bytes, at: UInt64(start))
                    exercise(store)
                }
            }
            try store.store(whole, at: UInt64(start))
        }
    }

    @Test func truncatedFilesNeverTrap() throws {
        var random = SeededRandom.printed()
        let (_, store) = try sample(&random)
        let length = try Int(store.size())
        var cuts = Set(stride(from: 0, through: length, by: 128 << 10))
        for edge in [512, 64 << 10, 68 << 10, 128 << 10, 132 << 10, 192 << 10, 256 << 10, 320 << 10, 1 << 20] {
            for cut in [edge - 512, edge, edge + 512, edge + 1] { cuts.insert(cut) }
        }
        for megabyte in 1...length >> 20 {
            for step in [-512, 512, 4096, 65536, 65536 + 512] { cuts.insert((megabyte << 20) + step) }
        }
        for _ in 0..<30 { cuts.insert(Int.random(in: 0...length, using: &random)) }
        for cut in cuts.sorted(by: >) where cut <= length {
            try store.truncate(to: UInt64(cut))
            exercise(store)
        }
    }
}
