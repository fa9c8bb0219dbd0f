import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Images of others, read by us.
@Suite struct VHDXInteropTests {
    @Test func theChecksumIsThatOfCastagnoli() {
        var crc = CRC32C()
        unsafe Array("123456789".utf8).withUnsafeBytes { unsafe crc.append($0) }
        #expect(crc.value == 0xE306_9283)
        var bytes = (0..<100).map { UInt8($0) }
        bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        #expect(CRC32C.of(bytes, zeroing: 4).bytes == Array(VHDXBuilder.sealed(bytes)[4..<8]))
    }

    @Test func identifiersAreSpelledAsWindowsDoes() {
        let text = "2dc27766-f623-4200-9d64-115e9bfd4a08"
        #expect(WindowsGUID("{\(text.uppercased())}")?.text == text)
        #expect(WindowsGUID(text)?.bytes == VHDXBuilder.guid(text))
        #expect(WindowsGUID("2dc27766") == nil && WindowsGUID("x" + text.dropFirst()) == nil)
    }

    /// Cases 5.2, 5.5: block sizes; sizes that are no multiples of blocks; disks that need the second bitmap's entry.
    @Test(arguments: [
        ("dynamic", 1, 10 << 20 | 512), ("dynamic", 2, 9 << 20), ("dynamic", 32, 100 << 20),
        ("dynamic", 256, 260 << 20),
        ("fixed", 1, 5 << 20), ("fixed", 32, 5 << 20 | 1536), ("dynamic", 1, 5 << 30), ("dynamic", 32, 5 << 30 | 4096),
    ])
    func imagesWrittenByQEMUAreReadByteForByte(subformat: String, blockMiB: Int, size: Int) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        let raw = folder.file("a.raw")
        let path = folder.file("a.vhdx")
        let model = MemoryDevice(size: UInt64(size))
        let source = try DiskImage.create(path: raw, format: .raw, size: UInt64(size))
        // Around the place where the table skips an entry (4 GiB), at both ends, and somewhere.
        for spot in [0, UInt64(4 << 30) - 200_000, UInt64(size) - 1000, UInt64(size) / 3] where spot < size {
            let count = min(random.next() % 400_000 + 1000, UInt64(size) - spot)
            let content = random.bytes(Int(count))
            try source.store(content, at: spot)
            try model.store(content, at: spot)
        }
        try source.close()
        try Tool.check(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "vhdx", "-o", "subformat=\(subformat),block_size=\(blockMiB)M", raw, path])
        let info = try DiskImage.importInfo(path: path, format: .vhdx)
        #expect(info.subformat == subformat && info.virtualSize == size && info.clusterSize == UInt64(blockMiB) << 20)
        #expect(info.notes == [] && info.creator?.hasPrefix("QEMU") == true && info.logicalSectorSize == 512)
        let device = try DiskImage.openImport(path: path, format: .vhdx)
        #expect(device.isReadOnly && device.size == size && device.preferredAlignment == UInt64(blockMiB) << 20)
        let comparison = ModelComparison(device, model: model, hotspots: [])
        try comparison.compare()
        try comparison.checkExtents()
        for offset in [0, UInt64(size) / 3, UInt64(size) - 700] {
            #expect(try device.bytes(at: offset, count: 555) == model.bytes(at: offset, count: 555))
        }
        // The map says where nothing is: at most what was written, and blocks around it.
        let stored = try device.extents(at: 0, length: device.size).filter { $0.kind == .data }.map(\.length).reduce(
            0, +)
        #expect(stored <= 2_000_000 + 8 * UInt64(blockMiB) << 20)
        if subformat == "fixed" { #expect(stored < size) }
        #expect(code { try device.store([1], at: 0) } == .readOnly)
        #expect(code { try device.writeZeroes(at: 0, length: 512, mayUnmap: true) } == .readOnly)
        #expect(code { try device.discard(at: 0, length: 512) } == .readOnly)
        #expect(code { _ = try device.bytes(at: device.size, count: 1) } == .outOfRange)
        try device.flush()
        try device.close()
        #expect(code { _ = try device.bytes(at: 0, count: 1) } == .io)
        // The second judge.
        let judged = try LibyalReader.read("vhdi", [path], [(0, 100_000), (UInt64(size) - 1000, 1000)])
        #expect(judged.size == size)
        #expect(
            try judged.bytes == model.bytes(at: 0, count: 100_000) + model.bytes(at: UInt64(size) - 1000, count: 1000))
    }

    /// Case 5.2: sectors of 4096 bytes, with the skipped entry after 32 GiB, and of 512 bytes, after 4 GiB.
    @Test(
        "the table skips an entry after every chunk (case 5.2)",
        arguments: [UInt64(512), 4096], [UInt64(1), 2, 32, 256])
    func theTableSkipsAnEntryAfterEveryChunk(sector: UInt64, blockMiB: UInt64) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        var builder = VHDXBuilder(size: 0, blockSize: blockMiB << 20, sector: sector)
        let ratio = builder.ratio
        #expect(ratio * blockMiB << 20 == sector << 23)
        builder.size = (2 * ratio + 2) * builder.blockSize + sector
        let model = MemoryDevice(size: builder.size)
        for block in [0, ratio - 1, ratio, ratio + 1, 2 * ratio - 1, 2 * ratio, 2 * ratio + 2] {
            let content = random.bytes(Int(sector))
            builder.blocks[block] = VHDXBuilder.Block(state: 6, data: content)
            try model.store(content, at: block * builder.blockSize)
        }
        // Other writers leave a bitmap's entry empty or not; nobody reads it.
        builder.bitmaps[0] = VHDXBuilder.Block(state: 0)
        builder.bitmaps[1] = VHDXBuilder.Block(state: 6, data: [1])
        let path = folder.file("a.vhdx")
        try builder.make(path)
        let device = try DiskImage.openImport(path: path, format: .vhdx)
        let comparison = ModelComparison(device, model: model, hotspots: [])
        try comparison.compare()
        try comparison.checkExtents()
        try device.close()
        #expect(try DiskImage.importInfo(path: path, format: .vhdx).logicalSectorSize == sector)
        let ranges = [ratio - 1, ratio, 2 * ratio + 2].map { ($0 * builder.blockSize, 512) }
        let judged = try LibyalReader.read("vhdi", [path], ranges)
        #expect(judged.size == builder.size)
        #expect(try judged.bytes == ranges.flatMap { try model.bytes(at: $0.0, count: $0.1) })
    }

    /// Cases 5.5, 6.13: no bytes at all, and 64 TiB in next to nothing, mapped at once and in little memory.
    @Test("empty and huge disks are legal (cases 5.5, 6.13, 1.7)")
    func emptyAndHugeDisksAreLegal() throws {
        let folder = try ScratchFolder("vhdx")
        try VHDXBuilder(size: 0).make(folder.file("empty"))
        let empty = try DiskImage.openImport(path: folder.file("empty"), format: .vhdx)
        #expect(try empty.size == 0 && empty.extents(at: 0, length: 0).isEmpty && empty.bytes(at: 0, count: 0) == [])
        try empty.close()

        var builder = VHDXBuilder(size: 64 << 40)
        builder.blocks[(64 << 20) - 1] = VHDXBuilder.Block(state: 6, data: [UInt8](repeating: 9, count: 512))
        try builder.make(folder.file("huge"))
        let huge = try DiskImage.openImport(path: folder.file("huge"), format: .vhdx)
        #expect(huge.size == 64 << 40)
        let last = (UInt64(64) << 40) - 1 << 20
        #expect(try huge.bytes(at: last - 1, count: 3) == [0, 9, 9])
        let map = try huge.extents(at: 0, length: huge.size)
        #expect(map.first == Extent(offset: 0, length: last, kind: .hole) && map[1].kind == .data)
        try huge.close()
        var policy = ImportPolicy.standalone
        policy.largestVirtualSize = 1 << 40
        #expect(
            code { _ = try DiskImage.openImport(path: folder.file("huge"), format: .vhdx, policy: policy) }
                == .limitExceeded)
        builder = VHDXBuilder(size: (64 << 40) + 512)
        builder.blocks = [:]
        #expect(code { _ = try openVHDX(builder.store()) } == .limitExceeded)
    }

    /// Case 5.3: what each state means without a parent.
    @Test("blocks have seven states (case 5.3)")
    func blocksHaveSevenStates() throws {
        for (state, kind) in [
            (0, Extent.Kind.hole), (1, .hole), (2, .zero), (3, .hole), (5, .hole), (6, .data), (4, nil), (7, nil),
        ] {
            var builder = VHDXBuilder(size: 2 << 20)
            let content = [UInt8](repeating: 0x5A, count: 1 << 20)
            builder.blocks[0] = VHDXBuilder.Block(state: UInt64(state), data: content)
            let device = try openVHDX(builder.store())
            guard let kind else {
                #expect(code { _ = try device.bytes(at: 0, count: 512) } == .corrupt, "\(state)")
                #expect(code { _ = try device.extents(at: 0, length: 512) } == .corrupt, "\(state)")
                #expect(try device.bytes(at: 1 << 20, count: 512).allSatisfy { $0 == 0 })
                continue
            }
            #expect(try device.extents(at: 0, length: 1 << 20).map(\.kind) == [kind], "\(state)")
            let expected = kind == .data ? content : [UInt8](repeating: 0, count: 1 << 20)
            #expect(try device.bytes(at: 0, count: 1 << 20) == expected, "\(state)")
        }
    }
}
