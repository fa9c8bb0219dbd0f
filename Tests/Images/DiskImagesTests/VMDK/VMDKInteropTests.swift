import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Images of others, read by us.
@Suite struct VMDKInteropTests {
    /// Case 5.6, as far as QEMU makes them; the second size makes QEMU split the disk.
    @Test(
        arguments: [
            "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized",
        ],
        [10 << 20 | 1536, 2 << 30 | 5 << 20])
    func imagesWrittenByQEMUAreReadByteForByte(subformat: String, size: Int) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vmdk")
        let raw = folder.file("a.raw")
        let path = folder.file("a.vmdk")
        let model = MemoryDevice(size: UInt64(size))
        let source = try DiskImage.create(path: raw, format: .raw, size: UInt64(size))
        let spots = [0, (2 << 30) - 300_000, size - 70_000, size / 3].filter { $0 < size }
        for spot in spots {
            let count = min(Int.random(in: 1000...500_000, using: &random), size - spot)
            // Half of it such that it can be compressed.
            let content = random.bytes(count / 2) + (0..<count - count / 2).map { UInt8($0 / 100 % 7) }
            try source.store(content, at: UInt64(spot))
            try model.store(content, at: UInt64(spot))
        }
        try source.close()
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)", raw, path])
        let names = try folder.contents()
        let info = try DiskImage.importInfo(path: path, format: .vmdk)
        #expect(info.subformat == subformat && info.virtualSize == size && info.parentContentIdentifier == nil)
        let isAlone = ["monolithicSparse", "streamOptimized"].contains(subformat)
        #expect(info.extentNames.isEmpty == isAlone)
        let refused = code { try DiskImage.openImport(path: path, format: .vmdk).close() }
        #expect(refused == (isAlone ? nil : .denied))

        let device = try DiskImage.openImport(
            path: path, format: .vmdk, policy: ImportPolicy(extents: .besideDescriptor))
        #expect(device.isReadOnly && device.size == size)
        let comparison = ModelComparison(device, model: model, hotspots: [])
        try comparison.compare()
        try comparison.checkExtents()
        for _ in 0..<30 {
            let spot = (spots.randomElement(using: &random) ?? 0) + Int.random(in: 0..<400_000, using: &random)
            let offset = min(spot, size - 1)
            let count = min(Int.random(in: 1...150_000, using: &random), size - offset)
            #expect(
                try device.bytes(at: UInt64(offset), count: count) == model.bytes(at: UInt64(offset), count: count))
        }
        // Holes stay holes, also those of flat files.
        let stored = try device.extents(at: 0, length: device.size).filter { $0.kind == .data }.map(\.length).reduce(
            0, +)
        #expect(stored < 4 << 20)
        #expect(code { try device.store([1], at: 0) } == .readOnly)
        #expect(code { _ = try device.bytes(at: UInt64(size) - 1, count: 2) } == .outOfRange)
        try device.close()
        #expect(code { _ = try device.bytes(at: 0, count: 1) } == .io)
        let files = names.filter { $0 != "a.raw" }.map { folder.file($0) }
        let given = try DiskImage.openImport(path: path, format: .vmdk, policy: ImportPolicy(extents: .given(files)))
        #expect(try given.bytes(at: 0, count: 5000) == model.bytes(at: 0, count: 5000))
        try given.close()
        #expect(try folder.contents() == names)
        // The second judge.
        let judged = try LibyalReader.read("vmdk", [path], spots.map { (UInt64($0), 60_000) })
        #expect(judged.size == size)
        #expect(try judged.bytes == spots.flatMap { try model.bytes(at: UInt64($0), count: 60_000) })
    }

    /// Case 5.6: one content in all the forms that nobody here can make but by hand.
    @Test("every form of one disk has the same content (case 5.6)")
    func everyFormOfOneDiskHasTheSameContent() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vmdk")
        // More than one grain table; the last grain is cut by the disk's end.
        var builder = VMDKBuilder(capacity: 16 * 700 + 5)
        for index in [0, 1, 2, 511, 512, 600, 700] as [UInt64] { builder.grains[index] = random.bytes(16 * 512) }
        let content = builder.content
        let model = GrowingBytes(content)
        var forms: [(name: String, bytes: [UInt8])] = [("sparse", builder.sparse())]
        for place in VMDKBuilder.Directory.allCases { forms.append(("stream-\(place)", builder.stream(place))) }
        builder.descriptorSectors = 60
        builder.descriptor =
            VMDKBuilder.text("monolithicSparse", ["RW \(builder.capacity) SPARSE \"x\""])
            + String(repeating: "# a comment that makes it long\n", count: 700)
        forms.append(("long", builder.sparse()))
        builder.descriptor = VMDKBuilder.text("monolithicSparse", ["RW \(builder.capacity) SPARSE \"x\""])
            .replacing("\n", with: "\r\n").replacing("createType", with: "CREATEtype").replacing("RW", with: "rw")
        forms.append(("crlf", builder.sparse()))
        builder.version = 3
        forms.append(("version3", builder.sparse()))
        var unclean = builder.sparse()
        unclean[72] = 1
        forms.append(("unclean", unclean))
        let flat = folder.file("flat.bin")
        try Data([UInt8](repeating: 0xDD, count: 1024) + content).write(to: URL(fileURLWithPath: flat))
        builder.descriptorSectors = 0
        builder.descriptor = nil
        try Data(builder.sparse()).write(to: URL(fileURLWithPath: folder.file("part.vmdk")))
        let size = builder.capacity
        let texts = [
            ("flat", VMDKBuilder.text("monolithicFlat", ["RW \(size) FLAT \"flat.bin\" 2"])),
            ("vmfs", VMDKBuilder.text("vmfs", ["RW \(size) VMFS \"flat.bin\" 2"], more: ["encoding=\"windows-1252\""])),
            (
                "mixed",
                VMDKBuilder.text(
                    "custom",
                    ["RW 8192 SPARSE \"part.vmdk\"", "RDONLY 0 ZERO", "RW \(size - 8192) FLAT \"flat.bin\" 8194"])
            ),
        ]
        for (name, text) in texts { forms.append((name, Array(text.utf8))) }
        // Only a carrier of the descriptor.
        var carrier = VMDKBuilder(capacity: 0)
        carrier.descriptor = texts[0].1
        forms.append(("carrier", carrier.sparse()))
        for (name, bytes) in forms {
            let path = folder.file("form-\(name).vmdk")
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let device = try DiskImage.openImport(
                path: path, format: .vmdk, policy: ImportPolicy(extents: .besideDescriptor))
            #expect(device.size == content.count, "\(name)")
            #expect(try device.bytes(at: 0, count: content.count) == content, "\(name)")
            for _ in 0..<20 {
                let offset = Int.random(in: 0..<content.count, using: &random)
                let count = min(Int.random(in: 1...20000, using: &random), content.count - offset)
                #expect(
                    try device.bytes(at: UInt64(offset), count: count) == Array(content[offset..<offset + count]),
                    "\(name)")
            }
            for extent in try device.extents(at: 0, length: device.size) where extent.kind != .data {
                #expect(model.isZero(Int(extent.offset)..<Int(extent.end)), "\(name)")
            }
            try device.close()
            let info = try DiskImage.importInfo(path: path, format: .vmdk)
            #expect(info.virtualSize == content.count && info.notes.isEmpty == (name != "unclean"), "\(name)")
            #expect(try DiskImage.probe(path: path) == .importable(.vmdk), "\(name)")
        }
        // The second judge, of what we made by hand. It opens the file by the name in the descriptor.
        for name in ["sparse", "stream-footer", "stream-front"] {
            let renamed = folder.file("disk.vmdk")
            try Tool.check("cp", [folder.file("form-\(name).vmdk"), renamed])
            #expect(try LibyalReader.read("vmdk", [renamed]).bytes == content, "\(name)")
        }
    }

    /// Grains that are said to be zero, ZERO extents, and the names of files in the encoding of their country.
    @Test func zeroesAreSaidInThreeWays() throws {
        let folder = try ScratchFolder("vmdk")
        var builder = VMDKBuilder(capacity: 64)
        builder.grains[0] = [UInt8](repeating: 1, count: 8192)
        builder.zeroed = [2]
        let device = try openVMDK(builder.sparse())
        #expect(try device.bytes(at: 0, count: 32768) == builder.content)
        #expect(try device.extents(at: 0, length: 32768).map(\.kind) == [.data, .hole, .zero, .hole])
        // 磁盘 in GBK.
        let name = Array("RW 16 FLAT \"".utf8) + [0xB4, 0xC5, 0xC5, 0xCC] + Array(".bin\"\nRW 8 ZERO\n".utf8)
        let text =
            Array("# Disk DescriptorFile\nversion=1\nencoding=\"GBK\"\nCID=1\ncreateType=\"custom\"\n".utf8) + name
        try Data([UInt8](repeating: 7, count: 8192)).write(to: URL(fileURLWithPath: folder.file("磁盘.bin")))
        let path = folder.file("a.vmdk")
        try Data(text).write(to: URL(fileURLWithPath: path))
        let policy = ImportPolicy(extents: .besideDescriptor)
        let chinese = try DiskImage.openImport(path: path, format: .vmdk, policy: policy)
        #expect(try chinese.bytes(at: 8190, count: 4) == [7, 7, 0, 0] && chinese.size == 12288)
        #expect(try chinese.extents(at: 0, length: 12288).map(\.kind) == [.data, .hole])
        try chinese.close()
        for encoding in ["nonsense", "UTF-8", "../../etc/passwd", "UTF-16LE"] {
            let other = String(decoding: text.prefix(40), as: UTF8.self)
            #expect(other.contains("encoding"))
            let changed = Array("# Disk DescriptorFile\nversion=1\nencoding=\"\(encoding)\"\nCID=1\n".utf8) + name
            try Data(changed).write(to: URL(fileURLWithPath: path))
            #expect(
                code { _ = try DiskImage.openImport(path: path, format: .vmdk, policy: policy) } == .invalidImage,
                "\(encoding)")
        }
    }

    @Test("grains of every size are read (case 5.7)")
    func grainsOfEverySizeAreRead() throws {
        var random = SeededRandom.printed()
        for grain in [8, 16, 128, 2048] as [UInt64] {
            var builder = VMDKBuilder(capacity: grain * 4 + 3, grain: grain)
            for index in [1, 2, 4] as [UInt64] { builder.grains[index] = random.bytes(Int(grain) * 512) }
            for bytes in [builder.sparse(), builder.stream(.footer), builder.stream(.none)] {
                let device = try openVMDK(bytes)
                #expect(device.preferredAlignment == max(4096, grain * 512))
                #expect(try device.bytes(at: 0, count: Int(device.size)) == builder.content)
                let middle = Int(device.size) / 2
                #expect(
                    try device.bytes(at: UInt64(middle), count: 700) == Array(builder.content[middle..<middle + 700]))
            }
        }
    }

    /// Case 6.13: a small file that claims terabytes costs what the file costs.
    @Test func hugeCapacitiesNeedHugeTables() throws {
        var builder = VMDKBuilder(capacity: 64)
        builder.grains[0] = [UInt8](repeating: 1, count: 8192)
        var bytes = builder.sparse()
        let path = try ScratchFolder("vmdk")
        for capacity in [4 << 30, 1 << 40, 1 << 54, UInt64.max] as [UInt64] {
            bytes.replaceSubrange(12..<20, with: capacity.bytes)
            builder.descriptor = VMDKBuilder.text("monolithicSparse", ["RW \(capacity) SPARSE \"x\""])
            var embedded = Array((builder.descriptor ?? "").utf8)
            embedded += [UInt8](repeating: 0, count: 20 * 512 - embedded.count)
            bytes.replaceSubrange(512..<512 * 21, with: embedded)
            let found = code { _ = try openVMDK(bytes) }
            #expect(found == .corrupt || found == .limitExceeded || found == .invalidImage, "\(capacity)")
        }
        // Honest, with 64 KiB grains: 2 TiB, all empty.
        try Tool.check("qemu-img", ["create", "-q", "-f", "vmdk", path.file("a.vmdk"), "2T"])
        let device = try DiskImage.openImport(path: path.file("a.vmdk"), format: .vmdk)
        #expect(try device.extents(at: 0, length: device.size) == [Extent(offset: 0, length: 2 << 40, kind: .hole)])
        try device.close()
        // A directory that is a hole of the file but for its last entry: 16 million tables of 4 MiB grains, and 512 grains each.
        let claimed: UInt64 = 1 << 55
        let text = VMDKBuilder.text("monolithicSparse", ["RW \(claimed / 512) SPARSE \"x\""])
        var head = VMDKBuilder(capacity: claimed / 512, grain: 8192)
            .header(flags: 1, directory: 64, redundant: 0, overhead: 1 << 18, compression: 0)
        head += Array(text.utf8) + [UInt8](repeating: 0, count: 20 * 512 - text.utf8.count)
        try save(path.file("huge.vmdk"), head)
        let file = try ImageFile(path: path.file("huge.vmdk"), access: .readWrite)
        let directory: UInt64 = (claimed >> 31) * 4
        try file.write(bytes: UInt32((64 * 512 + directory) / 512).bytes, at: 64 * 512 + directory - 4)
        try file.truncate(to: 64 * 512 + directory + 2048)
        file.close()
        let vast = try DiskImage.openImport(path: path.file("huge.vmdk"), format: .vmdk)
        var (extents, position, calls) = ([Extent](), UInt64(0), 0)
        while position < vast.size, calls < 100 {
            try vast.appendExtents(to: &extents, at: position, length: vast.size - position)
            position = try #require(extents.last).end
            calls += 1
        }
        #expect(position == claimed && calls < 100 && extents.allSatisfy { $0.kind == .hole })
        try vast.close()
        var policy = ImportPolicy.standalone
        policy.largestVirtualSize = 1 << 40
        let found = code { _ = try DiskImage.openImport(path: path.file("a.vmdk"), format: .vmdk, policy: policy) }
        #expect(found == .limitExceeded)
    }
}
