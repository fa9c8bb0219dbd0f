import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

/// Every format to every format, with all that makes extents: holes, zeroes stored as data, zero clusters, pieces that no
/// cluster or page knows, discarded and rewritten clusters, an end that is no multiple of anything but sectors.
@Suite struct CopyPairsTests {
    struct Layout: Sendable, CustomStringConvertible {
        let description: String
        let format: ImageFormat
        let qemuFormat: String
        var options = CreateOptions()
    }

    static let layouts = [
        Layout(description: "raw", format: .raw, qemuFormat: "raw"),
        Layout(description: "dynamic VHD", format: .vhd, qemuFormat: "vpc"),
        Layout(
            description: "fixed VHD", format: .vhd, qemuFormat: "vpc", options: CreateOptions(vhdSubformat: .fixed)),
        Layout(description: "qcow2", format: .qcow2, qemuFormat: "qcow2"),
        Layout(
            description: "qcow2 of 512-byte clusters", format: .qcow2, qemuFormat: "qcow2",
            options: CreateOptions(clusterSize: 512)),
        Layout(
            description: "qcow2 of 2 MiB clusters", format: .qcow2, qemuFormat: "qcow2",
            options: CreateOptions(clusterSize: 2 << 20)),
    ]

    /// Changes an image in every way there is, in an order that scatters its clusters over the file.
    static func fill(_ image: any BlockDevice, _ random: inout SeededRandom) throws {
        let data = random.bytes(300_000)
        for _ in 0..<24 {
            let sectors = image.size / 512
            let start = UInt64.random(in: 0..<sectors, using: &random)
            let count = min(sectors - start, UInt64.random(in: 1...580, using: &random))
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try image.store([UInt8](repeating: 0, count: Int(count) * 512), at: start * 512)
            case 1: try image.writeZeroes(at: start * 512, length: count * 512, mayUnmap: Bool.random(using: &random))
            case 2: try image.discard(at: start * 512, length: count * 512)
            default: try image.store(Array(data[..<(Int(count) * 512)]), at: start * 512)
            }
        }
        try image.store(Array(data[..<512]), at: image.size - 512)
    }

    @Test(arguments: layouts, layouts)
    func aCopyEqualsItsSource(_ from: Layout, _ to: Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pairs")
        let (sourcePath, path) = (folder.file("source"), folder.file("copy"))
        let size = (9 << 20) + UInt64.random(in: 0..<4096, using: &random) * 512
        let image = try DiskImage.create(path: sourcePath, format: from.format, size: size, options: from.options)
        try Self.fill(image, &random)
        try image.close()

        let source = try DiskImage.open(path: sourcePath, format: from.format, readOnly: true)
        let target = try DiskImage.create(path: path, format: to.format, size: source.size, options: to.options)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        // Also several threads, with pieces that split clusters of 2 MiB as asked for.
        if Bool.random(using: &random) { options.threads = 3 }
        if Bool.random(using: &random) { options.chunk = 16384 }
        options.clones = Bool.random(using: &random)
        options.zeroes = CopyEngine.StoredZeroes.allCases.randomElement(using: &random) ?? .sample
        let progress = ProgressCounter()
        try CopyEngine.copy(from: source, to: target, options: options, progress: progress)
        #expect(progress.done == progress.total)
        // What was written is there for who goes on with the device, and for who opens it anew.
        #expect(try CompareEngine.firstDifference(source, target) == nil)
        try target.close()
        let copy = try DiskImage.open(path: path, format: to.format, readOnly: true)
        #expect(try CompareEngine.firstDifference(source, copy) == nil)
        try copy.close()
        try source.close()
        let compared = try Tool.run(
            "qemu-img", ["compare", "-f", from.qemuFormat, "-F", to.qemuFormat, sourcePath, path])
        #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        if to.format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", path]) }
    }

    @Test("a copy is not larger than its data and tables (case 6.5)", arguments: layouts)
    func aCopyIsNotLargerThanItsDataAndTables(_ to: Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("size")
        let source = MemoryDevice(size: 64 << 20)
        // Pieces of whole pages, finer than a cluster, and as many zeroes that are stored.
        var pages: UInt64 = 0
        for index in 0..<100 as Range<UInt64> {
            let count = UInt64.random(in: 1...40, using: &random)
            try source.store(random.bytes(Int(count) * 4096), at: index * 655_360 + 4096)
            try source.store([UInt8](repeating: 0, count: 8192), at: index * 655_360 + 40960 * 5)
            pages += count
        }
        let path = folder.file("copy")
        let target = try DiskImage.create(path: path, format: to.format, size: source.size, options: to.options)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        try CopyEngine.copy(from: source, to: target, options: options)
        try target.close()
        let info = try DiskImage.info(path: path, format: to.format)
        // Tables: of qcow2, 8 bytes for each cluster and a few tables; of VHD, a page for each block.
        let tables: UInt64 =
            switch to.format {
            case .raw: 4096
            case .vhd: (64 / 2 + 8) * 4096
            case .qcow2: max(4 * (to.options.clusterSize + 4096), 64 << 20 / to.options.clusterSize * 12)
            }
        #expect(info.actualSize <= pages * 4096 + tables + pages * 20, "\(to)")
    }

    @Test(arguments: layouts)
    func hostExtentsSayWhereTheBytesAre(_ layout: Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("extents")
        let path = folder.file("image")
        let image = try DiskImage.create(path: path, format: layout.format, size: 9 << 20, options: layout.options)
        try Self.fill(image, &random)
        try image.close()
        let device = try DiskImage.open(path: path, format: layout.format, readOnly: true)
        let mapped = try #require(device as? any HostMappedDevice)
        for resolves in [false, true] {
            var walk = HostExtentWalk(device, resolvingHoles: resolves)
            var position: UInt64 = 0
            while let extent = try walk.next() {
                #expect(extent.offset == position)
                position = extent.end
                let bytes = try device.bytes(extent.offset, Int(extent.length))
                if extent.kind != .data {
                    #expect(bytes.allSatisfy { $0 == 0 })
                } else {
                    #expect(extent.file == 0)
                    #expect(try mapped.hostFiles[0].bytes(at: extent.host, count: Int(extent.length)) == bytes)
                }
            }
            #expect(position == device.size)
        }
        try device.close()
    }

    @Test func aFullFileSystemIsTheCopysErrorAndTheSourceStays() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("full")
        let path = folder.file("source")
        let image = try DiskImage.create(path: path, format: .qcow2, size: 40 << 20)
        try image.store(random.bytes(40 << 20), at: 0)
        try image.close()
        let source = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        let failure = #expect(throws: BlockError.self) {
            try CopyEngine.copy(from: source, to: FailingDevice(MemoryDevice(size: 40 << 20), writes: 2))
        }
        #expect(failure?.code == .noSpace)
        let flag = CancellationFlag()
        flag.cancel()
        let target = try DiskImage.create(path: folder.file("copy"), format: .qcow2, size: 40 << 20)
        let stopped = #expect(throws: BlockError.self) {
            try CopyEngine.copy(from: source, to: target, cancellation: flag)
        }
        #expect(stopped?.code == .cancelled)
        try target.close()
        try source.close()
        try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("copy")])
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
    }

    /// Compressed clusters and others, from a program that writes them.
    @Test(arguments: layouts)
    func copiesCompressedClusters(_ to: Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("compressed")
        let raw = folder.file("raw")
        let plain = try DiskImage.create(path: raw, format: .raw, size: 5 << 20)
        try Self.fill(plain, &random)
        try plain.store((0..<600_000).map { UInt8(truncatingIfNeeded: $0 >> 6) }, at: 1 << 20)
        try plain.close()
        let path = folder.file("compressed")
        try Tool.check("qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", raw, path])
        let source: any BlockDevice
        source = try DiskImage.open(path: path, format: .qcow2, readOnly: true)
        let copyPath = folder.file("copy")
        let target = try DiskImage.create(path: copyPath, format: to.format, size: source.size, options: to.options)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        try CopyEngine.copy(from: source, to: target, options: options)
        try target.close()
        try source.close()
        let compared = try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", to.qemuFormat, raw, copyPath])
        #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
    }

    @Test(arguments: [512, 65536, 2 << 20] as [UInt64])
    func compressesEveryPieceOnce(_ clusterSize: UInt64) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("compressing")
        let source = MemoryDevice(size: (7 << 20) + 1536)
        let text = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 >> 7) }
        for _ in 0..<30 {
            let start = UInt64.random(in: 0..<source.size / 512, using: &random) * 512
            let count = Int(min(source.size - start, UInt64.random(in: 1...500, using: &random) * 512))
            try source.store(Bool.random(using: &random) ? random.bytes(count) : Array(text[..<count]), at: start)
        }
        let raw = folder.file("raw")
        let plain = try DiskImage.create(path: raw, format: .raw, size: source.size)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        try CopyEngine.copy(from: source, to: plain, options: options)
        try plain.close()
        let path = folder.file("image")
        let target = try DiskImage.create(
            path: path, format: .qcow2, size: source.size, options: CreateOptions(clusterSize: clusterSize))
        options.compresses = true
        let mapped = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        let progress = ProgressCounter()
        try CopyEngine.copy(from: mapped, to: target, options: options, progress: progress)
        #expect(progress.done == progress.total)
        #expect(try CompareEngine.firstDifference(source, target) == nil)
        try mapped.close()
        try target.close()
        let compared = try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", raw, path])
        #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        try Tool.check("qemu-img", ["check", "-f", "qcow2", path])
    }
}
