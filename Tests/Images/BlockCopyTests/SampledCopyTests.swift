import BlockCopy
import BlockIO
import CoreTypes
import DiskImages
import TestSupport
import Testing

/// Copies between files that look at a few bytes of each piece, beside those that look at all and those that look at none.
@Suite struct SampledCopyTests {
    typealias Zeroes = CopyEngine.StoredZeroes
    private static let piece = 64 << 10
    private static let pieces: UInt64 = 40

    /// A raw file of whole and broken pieces: data, zeroes that are stored, holes, both in one piece; its length ends in a
    /// piece, and in a page.
    private static func makeSource(_ path: String, _ random: inout SeededRandom) throws {
        let data = random.bytes(piece)
        let zeroes = [UInt8](repeating: 0, count: piece)
        let file = try ImageFile(path: path, access: .create, locking: false)
        defer { file.close() }
        for index in 0..<pieces {
            let edge = Int.random(in: 1..<16, using: &random) * 4096 + Int.random(in: 0...1, using: &random) * 512
            let bytes: [UInt8]
            switch Int.random(in: 0..<6, using: &random) {
            case 0: continue
            case 1: bytes = zeroes
            case 2: bytes = Array(zeroes[..<edge] + data[edge...])
            case 3: bytes = Array(data[..<edge] + zeroes[edge...])
            case 4: bytes = Array(data[..<2048] + zeroes[4096...] + data[..<2048])
            default: bytes = data
            }
            try file.write(bytes: bytes, at: index * UInt64(piece))
        }
        try file.write(bytes: Array(data[..<(4096 + 1536)]), at: pieces * UInt64(piece))
    }

    private static func copy(
        _ source: any BlockDevice, to layout: CopyPairsTests.Layout, _ path: String, _ zeroes: Zeroes
    ) throws {
        let target = try DiskImage.create(
            path: path, format: layout.format, size: source.size, options: layout.options, isUnpublished: true)
        var options = CopyEngine.Options()
        options.destinationIsZero = true
        options.zeroes = zeroes
        // As of a file system that cannot.
        options.clones = false
        let progress = ProgressCounter()
        try CopyEngine.copy(from: source, to: target, options: options, progress: progress)
        #expect(progress.done == progress.total)
        try target.close()
        let copy = try DiskImage.open(path: path, format: layout.format, readOnly: true)
        #expect(try CompareEngine.firstDifference(source, copy) == nil, "\(layout), \(zeroes)")
        try copy.close()
    }

    private static func stored(_ device: any BlockDevice, _ range: Range<UInt64>) throws -> [Range<UInt64>] {
        try device.extents(at: range.lowerBound, length: range.upperBound - range.lowerBound)
            .filter { $0.kind == .data }.map { $0.offset..<$0.end }
    }

    @Test(arguments: CopyPairsTests.layouts)
    func everyTreatmentOfStoredZeroesGivesTheSameDisk(_ to: CopyPairsTests.Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("treatments")
        let raw = folder.file("source")
        try Self.makeSource(raw, &random)
        let source = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        var sizes: [Zeroes: UInt64] = [:]
        for zeroes in Zeroes.allCases {
            let path = folder.file(zeroes.rawValue)
            try Self.copy(source, to: to, path, zeroes)
            sizes[zeroes] = try DiskImage.info(path: path, format: to.format).actualSize
        }
        try source.close()
        let (searched, sampled, kept) = (sizes[.search] ?? 0, sizes[.sample] ?? 0, sizes[.keep] ?? 0)
        // A file system's own blocks for the list of a file's pieces are counted, too.
        let few: UInt64 = 32768
        #expect(searched <= sampled + few && sampled <= kept + few)
        if to.format == .qcow2 { try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("sample")]) }
    }

    @Test func zeroesThatFillAPieceOrBeginOrEndItTakeNoSpace() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("pieces")
        let raw = folder.file("source")
        try Self.makeSource(raw, &random)
        let source = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        let raws = CopyPairsTests.layouts[0]
        try Self.copy(source, to: raws, folder.file("sample"), .sample)
        try Self.copy(source, to: raws, folder.file("search"), .search)
        try Self.copy(source, to: raws, folder.file("keep"), .keep)
        let keep = try DiskImage.open(path: folder.file("keep"), format: .raw, readOnly: true)
        #expect(try Self.stored(keep, 0..<keep.size) == Self.stored(source, 0..<source.size))
        try keep.close()
        try source.close()
        let sample = try DiskImage.open(path: folder.file("sample"), format: .raw, readOnly: true)
        let search = try DiskImage.open(path: folder.file("search"), format: .raw, readOnly: true)
        for index in 0..<Self.pieces {
            let start = index * UInt64(Self.piece)
            let bytes = try sample.bytes(start, Self.piece)
            let isSeen = bytes[..<64].allSatisfy { $0 == 0 } || bytes.suffix(64).allSatisfy { $0 == 0 }
            let stored = try Self.stored(sample, start..<start + UInt64(Self.piece))
            let least = try Self.stored(search, start..<start + UInt64(Self.piece))
            if isSeen {
                #expect(stored == least)
            } else {
                #expect(stored == [start..<start + UInt64(Self.piece)])
            }
        }
        try sample.close()
        try search.close()
    }

    /// Data that lies across pages: no page more than in the source, and no byte wrong.
    @Test(arguments: CopyPairsTests.layouts)
    func copiesImagesWhoseDataIsNotOnPages(_ to: CopyPairsTests.Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("unaligned")
        let (raw, vhd) = (folder.file("raw"), folder.file("vhd"))
        try Self.makeSource(raw, &random)
        try Tool.check("qemu-img", ["resize", "-q", "-f", "raw", raw, "8M"])
        try Tool.check(
            "qemu-img", ["convert", "-S", "0", "-f", "raw", "-O", "vpc", "-o", "force_size=on", raw, vhd])
        let source = try DiskImage.open(path: vhd, format: .vhd, readOnly: true)
        let mapped = try #require(source as? any HostMappedDevice)
        var extents: [HostExtent] = []
        try mapped.appendHostExtents(to: &extents, at: 0, length: source.size)
        #expect(extents.contains { $0.file == 0 && $0.host % 4096 != $0.offset % 4096 })
        for zeroes in [Zeroes.sample, .keep] {
            let path = folder.file(zeroes.rawValue)
            try Self.copy(source, to: to, path, zeroes)
            let compared = try Tool.run("qemu-img", ["compare", "-f", "raw", "-F", to.qemuFormat, raw, path])
            #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        }
        try source.close()
    }

    /// Enough for several threads past the page cache. They look at every byte, so zeroes between data go, too.
    @Test(arguments: [0, 1, 3].map { CopyPairsTests.layouts[$0] })
    func copiesPastThePageCacheWithEveryTreatment(_ to: CopyPairsTests.Layout) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("past")
        let raw = folder.file("source")
        // A MiB of stored zeroes, with data on pages at its beginning, between, and at its end. Each ninth is a hole.
        let places: [Range<Int>] = [0..<65536, 151_552..<196_608, 262_144..<393_216, 1_044_480..<1_048_576]
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        for place in places { bytes.replaceSubrange(place, with: random.bytes(place.count).map { $0 | 1 }) }
        let file = try ImageFile(path: raw, access: .create, locking: false)
        let filled = (0..<45 as Range<UInt64>).filter { $0 % 9 != 4 }
        for megabyte in filled { try file.write(bytes: bytes, at: megabyte << 20) }
        file.close()
        let source = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        for zeroes in Zeroes.allCases {
            let path = folder.file(zeroes.rawValue)
            let target = try DiskImage.create(
                path: path, format: to.format, size: source.size, options: to.options, isUnpublished: true)
            var options = CopyEngine.Options()
            options.destinationIsZero = true
            options.bypassCache = true
            options.zeroes = zeroes
            // As of a file system that cannot.
            options.clones = false
            let progress = ProgressCounter()
            try CopyEngine.copy(from: source, to: target, options: options, progress: progress)
            #expect(progress.done == progress.total && progress.total == UInt64(filled.count) << 20)
            #expect((target as? any BulkDestination)?.bypassesCache == true, "scratch folders must not lie in memory")
            try target.close()
            let copy = try DiskImage.open(path: path, format: to.format, readOnly: true)
            #expect(try CompareEngine.firstDifference(source, copy) == nil)
            try copy.close()
            guard to.format == .raw else { continue }
            let kept = try DiskImage.open(path: path, format: .raw, readOnly: true)
            for megabyte in filled {
                let start = megabyte << 20
                let whole = start..<start + 1 << 20
                let stored = try Self.stored(kept, whole)
                let data = places.map { start + UInt64($0.lowerBound)..<start + UInt64($0.upperBound) }
                #expect(stored == (zeroes == .keep ? [whole] : data))
            }
            try kept.close()
        }
        // QEMU wants the source for itself.
        try source.close()
        for zeroes in Zeroes.allCases {
            let compared = try Tool.run(
                "qemu-img", ["compare", "-f", "raw", "-F", to.qemuFormat, raw, folder.file(zeroes.rawValue)])
            #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        }
    }

    /// Two file systems of different kinds: the kernel copies nothing between them, and what it would is copied all the same.
    @Test(arguments: Zeroes.allCases)
    func copiesWhereTheKernelDoesNot(_ zeroes: Zeroes) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("other-kind")
        let memory = "/dev/shm/gantry-sampled-\(random.next())"
        try Self.makeSource(memory, &random)
        defer { _ = try? Tool.run("rm", ["-f", memory]) }
        let source = try DiskImage.open(path: memory, format: .raw, readOnly: true)
        for to in CopyPairsTests.layouts { try Self.copy(source, to: to, folder.file("\(to)"), zeroes) }
        try source.close()
    }

    @Test(arguments: CopyPairsTests.layouts, Zeroes.allCases)
    func whatWasThereDoesNotShowThroughZeroes(_ to: CopyPairsTests.Layout, _ zeroes: Zeroes) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("over")
        let (raw, path) = (folder.file("raw"), folder.file("target"))
        try Self.makeSource(raw, &random)
        let source = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        let target = try DiskImage.create(path: path, format: to.format, size: source.size, options: to.options)
        let dirt = [UInt8](repeating: 0xD1, count: 1 << 20)
        for megabyte in 0..<source.size >> 20 where megabyte % 3 != 1 { try target.store(dirt, at: megabyte << 20) }
        var options = CopyEngine.Options()
        options.zeroes = zeroes
        try CopyEngine.copy(from: source, to: target, options: options)
        #expect(try CompareEngine.firstDifference(source, target) == nil)
        try target.close()
        try source.close()
    }

    /// Clusters of a child, of its parent and of neither; and clusters that only the image itself can read.
    @Test(arguments: Zeroes.allCases)
    func copiesChainsAndCompressedClusters(_ zeroes: Zeroes) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("chain")
        let (raw, parent, child) = (folder.file("raw"), folder.file("parent"), folder.file("child"))
        try Self.makeSource(raw, &random)
        try Tool.check("qemu-img", ["resize", "-q", "-f", "raw", raw, "8M"])
        try Tool.check("qemu-img", ["convert", "-c", "-f", "raw", "-O", "qcow2", raw, parent])
        try Tool.check(
            "qemu-io", ["-f", "qcow2", "-c", "write -P 7 1M 700k", "-c", "write -P 0 2M 1M", parent])
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", parent, "-F", "qcow2", child])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 9 1300k 900k", "-c", "write -z 5M 512k", child])
        let source = try DiskImage.open(
            path: child, format: .qcow2, readOnly: true, policy: OpenPolicy(parents: .within(folder: folder.path)))
        for to in CopyPairsTests.layouts { try Self.copy(source, to: to, folder.file("copy of \(to)"), zeroes) }
        // QEMU wants the parent for itself.
        try source.close()
        for to in CopyPairsTests.layouts {
            let path = folder.file("copy of \(to)")
            let compared = try Tool.run("qemu-img", ["compare", "-f", "qcow2", "-F", to.qemuFormat, child, path])
            #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        }
    }
}
