import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// What is in the file, and what is made of files by others.
@Suite struct VHDLayoutTests {
    @Test func newImagesAreAsXenServerReadsThem() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let device = try DiskImage.create(path: path, format: .vhd, size: 10 << 20)
        try device.store([UInt8](repeating: 7, count: 512), at: 5 << 20)
        try device.store([UInt8](repeating: 8, count: 512), at: 1 << 20)
        try device.close()
        let bytes = try content(path)
        let fields = BigEndianBytes(bytes)
        #expect(bytes[..<512] == bytes[(bytes.count - 512)...])
        #expect(fields.u32(8) == 2 && fields.u64(16) == 512 && fields.u32(28) == 0x7461_7000)
        #expect(fields.u32(32) == 0x0001_0003 && fields.u64(40) == 10 << 20 && fields.u64(48) == 10 << 20)
        #expect(fields.u32(60) == 3 && fields.u64(68) != 0 && fields.u64(76) != 0)
        #expect(fields.u64(512 + 8) == .max && fields.u64(512 + 16) == 1536 && fields.u32(512 + 28) == 5)
        #expect(fields.u32(512 + 32) == 2 << 20 && bytes[(512 + 40)..<1536].allSatisfy { $0 == 0 })
        // Block 2 came first, then block 0; data on page boundaries.
        let blocks = (0..<5).map { fields.u32(1536 + 4 * $0) }
        #expect(blocks == [blocks[2] + 4104, .max, blocks[2], .max, .max])
        #expect(UInt64(blocks[2]) * 512 % 4096 == 3584)
        #expect(bytes[Int(blocks[0]) * 512..<Int(blocks[0] + 1) * 512].allSatisfy { $0 == 0xFF })
        #expect(bytes[Int(blocks[0] + 1) * 512 + (1 << 20)] == 8)
        // The map of full blocks: 0 and 2, and its checksum.
        #expect(Array(bytes[2048..<2056]) == Array("tdbatmap".utf8))
        #expect(fields.u64(2056) == 2560 && fields.u32(2064) == 1 && fields.u32(2068) == 0x0001_0002)
        #expect(bytes[2560] == 0b1010_0000 && fields.u32(2072) == ~0b1010_0000)
    }

    /// Case 1.1 of the test vectors.
    @Test("an empty disk is legal (case 1.1)")
    func anEmptyDiskIsLegal() throws {
        let folder = try ScratchFolder("vhd")
        for subformat in CreateOptions.VHDSubformat.allCases {
            let path = folder.file("\(subformat).vhd")
            let device = try DiskImage.create(
                path: path, format: .vhd, size: 0, options: CreateOptions(vhdSubformat: subformat))
            #expect(try device.size == 0 && device.extents(at: 0, length: 0).isEmpty)
            try device.close()
            #expect(try DiskImage.info(path: path, format: .vhd).virtualSize == 0)
        }
    }

    /// A 10 MiB dynamic image with data in block 1, made by us and changed by `change`.
    private func image(_ folder: ScratchFolder, _ change: (inout [UInt8]) -> Void) throws -> String {
        let path = folder.file("x\(try folder.contents().count).vhd")
        let device = try DiskImage.create(path: path, format: .vhd, size: 10 << 20)
        try device.store([UInt8](repeating: 5, count: 8192), at: 3 << 20)
        try device.close()
        var bytes = try content(path)
        change(&bytes)
        try replace(path, bytes)
        return path
    }

    private func checksums(_ bytes: inout [UInt8]) {
        for start in [0, bytes.count - 512] {
            var footer = Array(bytes[start..<start + 512])
            footer.replaceBigEndian(at: 64, with: VHDFooter.checksum(footer))
            bytes.replaceSubrange(start..<start + 512, with: footer)
        }
        var header = Array(bytes[512..<1536])
        header.replaceBigEndian(at: 36, with: VHDFooter.checksum(header, field: 36))
        bytes.replaceSubrange(512..<1536, with: header)
    }

    /// Case 2.1. qemu's own table differs for creators it does not know: it takes their geometry, and cuts the disk short.
    @Test(
        "the creator decides the size (case 2.1)",
        arguments: [
            ("tap\0", 10 << 30, true), ("win ", 10 << 30, true), ("qem2", 10 << 30, true), ("CTXS", 10 << 30, true),
            ("d2v\0", 10 << 30, false), ("caml", 10 << 30, false), ("xo  ", 10 << 30, false),
            ("vbox", 10 << 30, false), ("vs  ", 10 << 30, false), ("vpc ", 10_737_377_280, true),
            ("qemu", 10_737_377_280, true),
        ] as [(String, UInt64, Bool)])
    func theCreatorDecidesTheSize(creator: String, size: UInt64, qemuAgrees: Bool) throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let made = try DiskImage.create(path: path, format: .vhd, size: 10 << 30)
        try made.store([UInt8](repeating: 5, count: 8192), at: 3 << 20)
        try made.close()
        var bytes = try content(path)
        for start in [0, bytes.count - 512] {
            bytes.replaceSubrange(start + 28..<start + 32, with: Array(creator.utf8))
        }
        checksums(&bytes)
        try replace(path, bytes)
        let info = try DiskImage.info(path: path, format: .vhd)
        #expect(info.virtualSize == size && info.notes.isEmpty == (size == 10 << 30))
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: true)
        #expect(try device.size == size && device.bytes(at: 3 << 20, count: 8192).allSatisfy { $0 == 5 })
        try device.close()
        let said = try Tool.check("qemu-img", ["info", "-f", "vpc", path])
        #expect(said.contains("(\(size) bytes)") == qemuAgrees)
    }

    /// Case 2.1: every known creator, and one that nobody knows, with every relation of geometry and size field.
    @Test(
        "size field and geometry of every known creator (case 2.1)",
        arguments: [
            ("vpc ", true), ("qemu", true), ("qem2", false), ("win ", false), ("vs  ", false), ("tap\0", false),
            ("CTXS", false), ("caml", false), ("xo  ", false), ("vbox", false), ("d2v\0", false), ("d2v ", false),
            ("????", false),
        ])
    func sizeFieldAndGeometryOfEveryKnownCreator(creator: String, followsGeometry: Bool) throws {
        // The size field, the geometry, and the size where that counts.
        let table: [(size: UInt64, geometry: (UInt16, UInt8, UInt8), product: UInt64)] = [
            (10 << 30, (20805, 16, 63), 10_737_377_280), // rounded down, as the specification has it
            (10 << 30, (20806, 16, 63), 10_737_893_376), // rounded up, as Xen Orchestra has it
            (3 << 20, (90, 4, 17), 3_133_440), (3 << 20, (91, 4, 17), 3_168_256),
            (528_482_304, (1024, 16, 63), 528_482_304), // equal
            (33_822_351_360, (16191, 16, 255), 33_822_351_360), // the edge, as the specification has it
            (33_822_351_360, (65535, 16, 63), 33_822_351_360), // and as vhd-tool has it
            (127 << 30, (65278, 16, 255), 136_363_130_880),
            (136_899_993_600, (65535, 16, 255), 136_899_993_600),
            (130 << 30, (65535, 16, 255), 130 << 30), // the largest stands for the size field,
            (10 << 30, (65535, 16, 255), 10 << 30), // however small that is
            (10 << 30, (0, 0, 0), 10 << 30), (10 << 30, (100, 0, 63), 10 << 30), // no geometry
        ]
        for (size, geometry, product) in table {
            var bytes = VHDFooter(new: .dynamic, size: size).bytes
            bytes.replaceSubrange(28..<32, with: Array(creator.utf8))
            bytes.replaceBigEndian(
                at: 56, with: UInt32(geometry.0) << 16 | UInt32(geometry.1) << 8 | UInt32(geometry.2))
            bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
            let header = VHDHeader(tableOffset: 1536, entryCount: 70_000, blockSize: 2 << 20)
            let store = StoreInMemory(bytes + header.encoded())
            try store.store([UInt8](repeating: 0xFF, count: Int(header.tableSize)), at: 1536)
            try store.store(bytes, at: 1536 + header.tableSize)
            let layout = try VHDLayout(file: store)
            let expected = followsGeometry ? product : size
            #expect(layout.virtualSize == expected, "\(creator) \(size) \(geometry)")
            #expect(layout.notes.isEmpty == (expected == size) && !layout.mustNotWrite)
        }
    }

    /// Cases 2.2, 2.4, 2.6 and 2.13. Offsets of u32 fields, new values, and what opening for writing says.
    @Test(
        "contradicting fields are refused (cases 2.2, 2.4, 2.6, 2.13)",
        arguments: [
            (60, 4, .denied), (60, 0, .invalidImage), (60, 1, .invalidImage), (60, 5, .invalidImage),
            (60, 6, .invalidImage), (60, 7, .invalidImage), (12, 0x20000, .invalidImage),
            (16, 0xFFFF_FFFF, .corrupt), (20, 0, .corrupt), (20, 513, .corrupt), (20, 0x7FFF_FE00, .corrupt),
            (512, 0, .corrupt), (512 + 16, 0xFFFF_FFFF, .corrupt), (512 + 20, 0, .corrupt), (512 + 20, 512, .corrupt),
            (512 + 24, 0x20000, .unsupported), (512 + 28, 0xFFFF_FFFF, .corrupt), (512 + 28, 0, .corrupt),
            (512 + 28, 4, .corrupt), (512 + 32, 0, .unsupported), (512 + 32, 256, .unsupported),
            (512 + 32, 3 << 20, .unsupported), (512 + 32, 4 << 20, .unsupported), (512 + 32, 1 << 31, .unsupported),
            (48, 0xFFFF_FFFF, .corrupt), (1536, 0, .corrupt), (1536, 1, .corrupt), (1536, 4, .corrupt),
            (1536, 0xFFFF_FFFE, .corrupt), (1536, 0x7FFF_FFFF, .corrupt), (1536, 100, .corrupt),
        ] as [(Int, UInt32, BlockError.Code)])
    func contradictingFieldsAreRefused(offset: Int, value: UInt32, expected: BlockError.Code) throws {
        let folder = try ScratchFolder("vhd")
        let path = try image(folder) { bytes in
            bytes.replaceBigEndian(at: offset, with: value)
            if offset < 512 { bytes.replaceBigEndian(at: bytes.count - 512 + offset, with: value) }
            checksums(&bytes)
        }
        let found = code { _ = try DiskImage.open(path: path, format: .vhd, readOnly: false) }
        #expect(found == expected || (offset == 12 && found == .unsupported))
    }

    /// Cases 2.11 and 2.12.
    @Test("damaged checksums are refused (case 2.11)")
    func damagedChecksumsAreRefused() throws {
        let folder = try ScratchFolder("vhd")
        for offset in [100, 512 + 700] {
            let path = try image(folder) { bytes in
                bytes[offset] ^= 1
                if offset < 512 { bytes[bytes.count - 512 + offset] ^= 1 }
            }
            #expect(code { _ = try DiskImage.open(path: path, format: .vhd, readOnly: true) } != nil)
        }
    }

    /// Cases 2.8, 2.9 and 2.10.
    @Test(
        "damaged footers heal when the image is written (cases 2.8, 2.9, 2.10)",
        arguments: [
            "tail zeroed", "tail missing", "junk behind", "head zeroed", "511 bytes", "block cut", "tail differs",
        ])
    func damagedFootersHealWhenTheImageIsWritten(damage: String) throws {
        let folder = try ScratchFolder("vhd")
        let path = try image(folder) { bytes in
            let tail = bytes.count - 512
            switch damage {
            case "tail zeroed": bytes.replaceSubrange(tail..., with: [UInt8](repeating: 0, count: 512))
            case "tail missing": bytes.removeLast(512)
            case "junk behind": bytes += [UInt8](repeating: 0xAB, count: 3 << 20)
            case "head zeroed": bytes.replaceSubrange(..<512, with: [UInt8](repeating: 0, count: 512))
            case "511 bytes": bytes.removeLast()
            case "block cut": bytes.removeLast(512 + (1 << 19))
            default:
                bytes[tail + 85] = 1
                var footer = Array(bytes[tail...])
                footer.replaceBigEndian(at: 64, with: VHDFooter.checksum(footer))
                bytes.replaceSubrange(tail..., with: footer)
            }
        }
        let before = try content(path)
        let readOnly = try DiskImage.open(path: path, format: .vhd, readOnly: true)
        #expect(try readOnly.bytes(at: (3 << 20) - 512, count: 9216) == pattern)
        try readOnly.close()
        #expect(try content(path) == before)

        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        try device.store([UInt8](repeating: 9, count: 512), at: 8 << 20)
        #expect(try device.bytes(at: (3 << 20) - 512, count: 9216) == pattern)
        #expect(try device.bytes(at: (8 << 20) + 512, count: (2 << 20) - 512).allSatisfy { $0 == 0 })
        try device.close()
        #expect(try DiskImage.info(path: path, format: .vhd).notes.isEmpty)
        let after = try content(path)
        #expect(after[..<512] == after[(after.count - 512)...])
        try Tool.check("qemu-img", ["info", "-f", "vpc", path])
    }

    private var pattern: [UInt8] {
        [UInt8](repeating: 0, count: 512) + [UInt8](repeating: 5, count: 8192) + [UInt8](repeating: 0, count: 512)
    }

    @Test(arguments: ["tap\0", "win "])
    func clearBitsReadAsZeroesOnlyInImagesOfBlktap(creator: String) throws {
        let folder = try ScratchFolder("vhd")
        let path = try image(folder) { bytes in
            for start in [0, bytes.count - 512] {
                bytes.replaceSubrange(start + 28..<start + 32, with: Array(creator.utf8))
            }
            checksums(&bytes)
            // The batmap no longer vouches for block 1, and its bitmap lacks sector 2050.
            bytes[2560] = 0
            bytes.replaceBigEndian(at: 2072, with: .max)
            let block = Int(BigEndianBytes(bytes).u32(1540)) * 512
            bytes[block + 2050 / 8] = 0b1101_1111
        }
        var expected = pattern
        if creator == "tap\0" { expected.replaceSubrange(1536..<2048, with: [UInt8](repeating: 0, count: 512)) }
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        #expect(try device.bytes(at: (3 << 20) - 512, count: 9216) == expected)
        #expect(try device.bytes(at: (3 << 20) + 1000, count: 10) == Array(expected[1512..<1522]))
        // A write makes the whole block count, and nothing reappears.
        try device.store([1], at: 2 << 20)
        #expect(try device.bytes(at: (3 << 20) - 512, count: 9216) == expected)
        try device.close()
        let bytes = try content(path)
        let block = Int(BigEndianBytes(bytes).u32(1540)) * 512
        #expect(bytes[block..<block + 512].allSatisfy { $0 == 0xFF })
        #expect(Array(bytes[block + 512 + (1 << 20) - 512..<block + 512 + (1 << 20) + 8704]) == expected)
    }

    /// Case 2.21.
    @Test("a fixed image of an image stays fixed (case 2.21)")
    func aFixedImageOfAnImageStaysFixed() throws {
        let folder = try ScratchFolder("vhd")
        let inner = try content(try image(folder) { _ in })
        let path = folder.file("outer.vhd")
        let device = try DiskImage.create(
            path: path, format: .vhd, size: UInt64(inner.count) + 4096, options: CreateOptions(vhdSubformat: .fixed))
        try device.store(inner, at: 0)
        try device.close()
        #expect(try DiskImage.info(path: path, format: .vhd).subformat == "fixed")
        let again = try DiskImage.open(path: path, format: .vhd, readOnly: true)
        #expect(try again.bytes(at: 0, count: inner.count) == inner)
        try again.close()
    }

    /// Cases 2.3, 2.4 and 2.5.
    @Test("small blocks and far tables are read (cases 2.3, 2.4, 2.5)")
    func smallBlocksAndFarTablesAreRead() throws {
        let folder = try ScratchFolder("vhd")
        for blockSize in [512, 4096, 512 << 10] as [UInt64] {
            let path = folder.file("b\(blockSize).vhd")
            let file = try ImageFile(path: path, access: .create)
            let footer = VHDFooter(new: .dynamic, size: 64 * blockSize)
            let header = VHDHeader(tableOffset: 8192, entryCount: 1 << 15, blockSize: blockSize)
            try file.write(bytes: footer.bytes, at: 0)
            try file.write(bytes: header.encoded(), at: 512)
            try file.write(bytes: [UInt8](repeating: 0xFF, count: Int(header.tableSize)), at: 8192)
            try file.write(bytes: footer.bytes, at: 8192 + header.tableSize)
            file.close()
            var random = SeededRandom.printed()
            let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
            let comparison = ModelComparison(
                device, hotspots: [0, blockSize, 5 * blockSize, device.size - 1], longest: Int(3 * blockSize))
            try comparison.run(60, random: &random)
            try device.close()
            let again = try DiskImage.open(path: path, format: .vhd, readOnly: true)
            try comparison.compare(again)
            try again.close()
        }
    }
}

func content(_ path: String) throws -> [UInt8] {
    let file = try ImageFile(path: path, access: .readOnly, locking: false)
    defer { file.close() }
    return try file.bytes(at: 0, count: Int(file.size()))
}

func replace(_ path: String, _ bytes: [UInt8]) throws {
    let file = try ImageFile(path: path, access: .readWrite)
    defer { file.close() }
    try file.truncate(to: 0)
    try file.write(bytes: bytes, at: 0)
}
