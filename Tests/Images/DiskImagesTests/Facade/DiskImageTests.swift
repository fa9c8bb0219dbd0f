import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

@Suite struct DiskImageTests {
    @Test("creation is exclusive and leaves nothing behind (case 6.12)", arguments: ImageFormat.allCases)
    func creationIsExclusiveAndLeavesNothingBehind(format: ImageFormat) throws {
        let folder = try ScratchFolder("image")
        let path = folder.file("a")
        let device = try DiskImage.create(path: path, format: format, size: 100_000)
        #expect(device.size == 100_352 && !device.isReadOnly)
        #expect(code { _ = try DiskImage.create(path: path, format: format, size: 512) } == .exists)
        #expect(code { _ = try DiskImage.open(path: path, format: format, readOnly: true) } == .busy)
        #expect(try DiskImage.info(path: path, format: format).virtualSize == 100_352)
        try device.close()
        #expect(code { _ = try DiskImage.create(path: folder.file("b"), format: format, size: .max) } == .limitExceeded)
        #expect(code { _ = try DiskImage.create(path: "nbd:x", format: format, size: 512) } == .denied)
        #expect(code { _ = try DiskImage.open(path: folder.file("c"), format: format, readOnly: true) } == .notFound)
        #expect(try folder.contents() == ["a"])
    }

    /// Without a barrier anywhere, all is in the file when it is closed.
    @Test(arguments: ImageFormat.allCases)
    func anUnpublishedImageIsWholeWhenItIsClosed(format: ImageFormat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("image")
        let (path, model) = (folder.file("a"), folder.file("model"))
        let device = try DiskImage.create(path: path, format: format, size: 8 << 20, isUnpublished: true)
        let plain = try DiskImage.create(path: model, format: .raw, size: 8 << 20)
        for _ in 0..<24 {
            let offset = UInt64.random(in: 0..<15_000, using: &random) * 512
            let content = random.bytes(Int.random(in: 1...65536, using: &random))
            try device.store(content, at: offset)
            try plain.store(content, at: offset)
            if Bool.random(using: &random) { try device.flush() }
        }
        try device.close()
        try plain.close()
        let name = format == .vhd ? "vpc" : format.rawValue
        try Tool.check("qemu-img", ["compare", "-f", name, "-F", "raw", path, model])
        if format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", path]) }
        #expect(
            code { _ = try DiskImage.create(path: path, format: format, size: 512, isUnpublished: true) } == .exists)
        #expect(
            code { _ = try DiskImage.create(path: folder.file("b"), format: format, size: .max, isUnpublished: true) }
                == .limitExceeded)
        #expect(try folder.contents() == ["a", "model"])
    }

    @Test("the limit of VHD is 2040 GiB (case 1.7)")
    func theLimitOfVHDIs2040GiB() throws {
        let folder = try ScratchFolder("image")
        let path = folder.file("a.vhd")
        let limit = FormatCapabilities.largestVHD
        #expect(code { _ = try DiskImage.create(path: path, format: .vhd, size: limit + 1) } == .limitExceeded)
        let device = try DiskImage.create(path: path, format: .vhd, size: limit)
        try device.store([1, 2, 3, 4], at: limit - 4)
        #expect(try device.bytes(at: limit - 5, count: 5) == [0, 1, 2, 3, 4])
        let empty = Extent(offset: 0, length: limit - (2 << 20), kind: .hole)
        #expect(try device.extents(at: 0, length: limit).first == empty)
        try device.close()
        #expect(try Tool.check("qemu-img", ["info", "-f", "vpc", path]).contains("\(limit) bytes"))
        #expect(try FormatCapabilities.roundedSize(1, for: .vhd) == 2 << 20)
        #expect(try FormatCapabilities.roundedSize((2 << 20) + 1, for: .vhd) == 4 << 20)
        #expect(try FormatCapabilities.roundedSize(limit, for: .vhd) == limit)
        #expect(code { _ = try FormatCapabilities.roundedSize(limit + 1, for: .vhd) } == .limitExceeded)
        #expect(try FormatCapabilities.roundedSize(3 << 40, for: .qcow2) == 3 << 40)
    }

    @Test("requests past the end are refused (case 1.9)", arguments: ImageFormat.allCases)
    func requestsPastTheEndAreRefused(format: ImageFormat) throws {
        let folder = try ScratchFolder("image")
        let device = try DiskImage.create(path: folder.file("a"), format: format, size: 4 << 20)
        let size = device.size
        try device.store([UInt8](repeating: 1, count: 512), at: size - 512)
        try device.store([], at: size)
        for offset in [size - 511, size, size + 1, 1 << 62, UInt64(Int64.max), .max] {
            #expect(code { try device.store([UInt8](repeating: 1, count: 512), at: offset) } == .outOfRange)
            #expect(code { _ = try device.bytes(at: offset, count: 512) } == .outOfRange)
            #expect(code { try device.discard(at: offset, length: 512) } == .outOfRange)
            #expect(code { try device.writeZeroes(at: offset, length: .max, mayUnmap: true) } == .outOfRange)
        }
        try device.close()
        let readOnly = try DiskImage.open(path: folder.file("a"), format: format, readOnly: true)
        #expect(code { try readOnly.store([1], at: 0) } == .readOnly)
        #expect(code { try readOnly.writeZeroes(at: 0, length: 512, mayUnmap: true) } == .readOnly)
        try readOnly.close()
    }

    @Test func imagesThatNameOtherFilesAreRefused() throws {
        let folder = try ScratchFolder("image")
        let device = try DiskImage.create(path: folder.file("base"), format: .vhd, size: 4 << 20)
        try device.close()
        var bytes = try content(folder.file("base"))
        for start in [0, bytes.count - 512] {
            var footer = Array(bytes[start..<start + 512])
            footer.replaceBigEndian(at: 60, with: 4)
            footer.replaceBigEndian(at: 64, with: VHDFooter.checksum(footer))
            bytes.replaceSubrange(start..<start + 512, with: footer)
        }
        try replace(folder.file("base"), bytes)
        let found = code { _ = try DiskImage.open(path: folder.file("base"), format: .vhd, readOnly: true) }
        #expect(found == .denied)
    }

    @Test func aQCOW2ImageWithABackingFileIsRefused() throws {
        let folder = try ScratchFolder("image")
        try Tool.check("qemu-img", ["create", "-f", "raw", folder.file("base"), "1M"])
        try Tool.check(
            "qemu-img", ["create", "-f", "qcow2", "-b", folder.file("base"), "-F", "raw", folder.file("top")])
        let found = code { _ = try DiskImage.open(path: folder.file("top"), format: .qcow2, readOnly: true) }
        #expect(found == .unsupported || found == .denied)
    }

    /// Every format into every other, by hand: what is read of one is written to the next, ends where it began.
    @Test func contentSurvivesAWayThroughAllFormats() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("image")
        let size: UInt64 = 512 * UInt64.random(in: 10_000...15_000, using: &random)
        let model = MemoryDevice(size: size)
        for _ in 0..<5 {
            let count = Int.random(in: 1...300_000, using: &random)
            try model.store(random.bytes(count), at: UInt64.random(in: 0...size - UInt64(count), using: &random))
        }
        var source: any BlockDevice = model
        for (step, format) in [ImageFormat.raw, .vhd, .qcow2, .vhd, .raw, .qcow2, .raw].enumerated() {
            let path = folder.file("\(step).\(format)")
            let device = try DiskImage.create(path: path, format: format, size: size)
            for extent in try source.extents(at: 0, length: size) where extent.kind == .data {
                try device.store(try source.bytes(at: extent.offset, count: Int(extent.length)), at: extent.offset)
            }
            if step > 0 { try source.close() }
            try device.close()
            let qemuName = format == .vhd ? "vpc" : format.rawValue
            if step > 0 {
                try Tool.check("qemu-img", ["compare", "-f", qemuName, "-F", "raw", path, folder.file("0.raw")])
            }
            source = try DiskImage.open(path: path, format: format, readOnly: true)
        }
        #expect(try source.bytes(at: 0, count: Int(size)) == model.bytes(at: 0, count: Int(size)))
        try source.close()
    }

    @Test func optionsAreReadAsQEMUSpellsThem() throws {
        #expect(try CreateOptions(parsing: "") == CreateOptions())
        #expect(
            try CreateOptions(parsing: "subformat=fixed,cluster_size=4k")
                == CreateOptions(vhdSubformat: .fixed, clusterSize: 4096))
        for bad in ["subformat=thick", "cluster_size=3000", "cluster_size=4M", "cluster_size=", "size", "x=1"] {
            #expect(code { _ = try CreateOptions(parsing: bad) } == .unsupported, "\(bad)")
        }
    }

    @Test("probing knows strong marks only (case 6.4)")
    func probingKnowsStrongMarksOnly() throws {
        let folder = try ScratchFolder("image")
        for (name, arguments, expected) in [
            ("q", ["-f", "qcow2"], ProbeResult.format(.qcow2)), ("d", ["-f", "vpc"], .format(.vhd)),
            ("f", ["-f", "vpc", "-o", "subformat=fixed"], .format(.vhd)), ("x", ["-f", "vhdx"], .importable(.vhdx)),
            ("v", ["-f", "vmdk"], .importable(.vmdk)), ("i", ["-f", "vdi"], .other("VDI")),
            ("e", ["-f", "qed"], .other("QED")),
            ("r", ["-f", "raw"], .rawCandidate(hint: nil)),
        ] {
            try Tool.check("qemu-img", ["create"] + arguments + [folder.file(name), "4M"])
            #expect(try DiskImage.probe(path: folder.file(name)) == expected, "\(name)")
        }
        // A qcow2 head and a VHD tail.
        var polyglot = try content(folder.file("f"))
        polyglot.replaceSubrange(..<8, with: [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3])
        try replace(folder.file("f"), polyglot)
        #expect(try DiskImage.probe(path: folder.file("f")) == .ambiguous(["qcow2", "vhd"]))
        // The footer of a fixed VHD in a raw disk of another length.
        try replace(folder.file("r"), [UInt8](repeating: 0, count: 512) + VHDFooter(new: .fixed, size: 1024).bytes)
        #expect(try DiskImage.probe(path: folder.file("r")) == .rawCandidate(hint: nil))
        for short in [0, 1, 511] {
            try replace(folder.file("r"), [UInt8](repeating: 0x51, count: short))
            #expect(try DiskImage.probe(path: folder.file("r")) == .rawCandidate(hint: nil))
        }
        #expect(code { _ = try DiskImage.probe(path: "/dev/zero") } == .unsupported)
        #expect(code { _ = try DiskImage.probe(path: folder.path) } == .unsupported)
    }
}
