import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// One disk has one size: from a file and from a pipe, and the one of two sizes that somebody asks for.
@Suite struct DiskSizeTests {
    // MARK: VMDK

    /// A disk of 2049 sectors in an extent that is rounded up to 17 grains of 128.
    private func rounded(_ sectors: UInt64, _ random: inout SeededRandom) -> VMDKBuilder {
        var builder = VMDKBuilder(capacity: 2176)
        builder.grain = 128
        builder.grains = [1: random.bytes(65536), 16: random.bytes(65536)]
        builder.descriptor = VMDKBuilder.text("streamOptimized", ["RW \(sectors) SPARSE \"disk.vmdk\""])
        return builder
    }

    @Test("a VMDK whose capacity is rounded up is one disk in a file and in a pipe (cases 5.6, 5.7)")
    func aVMDKWhoseCapacityIsRoundedUpIsOneDisk() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vmdk-size")
        let size: UInt64 = 2049 * 512
        var spooling = StreamReadOptions()
        spooling.spillFolder = folder.path
        spooling.imports = ImportPolicy(parents: .given([]))
        for place in VMDKBuilder.Directory.allCases {
            let bytes = rounded(2049, &random).stream(place)
            let device = try openVMDK(bytes)
            #expect(device.size == size, "\(place)")
            #expect(try VMDKImage.info(storage: StoreInMemory(bytes)).virtualSize == size, "\(place)")
            for options in [StreamReadOptions(), spooling] {
                #expect(try equalContent(readBack(bytes, .vmdk, options: options, piece: 999), device), "\(place)")
            }
            // Into a disk of just that size, and not behind it.
            let target = MemoryDevice(content: [UInt8](repeating: 9, count: 1 << 20) + random.bytes(4096))
            let behind = try target.bytes(at: size, count: 3584)
            try DiskImage.readStream(from: ArraySource(bytes), as: .vmdk, into: .device(target, isFresh: false))
            #expect(try target.bytes(at: 0, count: Int(size)) == device.bytes(at: 0, count: Int(size)))
            #expect(try target.bytes(at: size, count: 3584) == behind)
            try device.close()
        }
        // More than there is room for is nothing in either.
        let more = rounded(2177, &random).stream(.footer)
        #expect(code { _ = try openVMDK(more) } == .invalidImage)
        #expect(code { _ = try readBack(more, .vmdk) } == .invalidImage)
    }

    /// Grains would be dropped without a word.
    @Test("a VMDK that says much less than it has room for contradicts itself (case 5.7)")
    func aVMDKThatSaysMuchLessContradictsItself() throws {
        var random = SeededRandom.printed()
        for (sectors, isRounded) in [(2176, true), (2049, true), (2048, false), (128, false)] as [(UInt64, Bool)] {
            let expected: BlockError.Code? = isRounded ? nil : .invalidImage
            let bytes = rounded(sectors, &random).stream(.footer)
            #expect(code { _ = try openVMDK(bytes) } == expected, "\(sectors)")
            #expect(code { _ = try readBack(bytes, .vmdk) } == expected, "\(sectors)")
        }
    }

    @Test("a written directory of nothing is asked about once (case 6.13)")
    func aWrittenDirectoryOfNothingIsAskedAboutOnce() throws {
        var builder = VMDKBuilder(capacity: 128 * 4096)
        builder.grain = 8
        builder.grains = [128 * 512 - 1: [UInt8](repeating: 7, count: 4096)]
        var bytes = builder.sparse()
        // Of 128 tables the last is left.
        let directory = (1 + 20 + 1 + 4 * 128) * 512
        bytes.replaceSubrange(directory..<directory + 127 * 4, with: [UInt8](repeating: 0, count: 127 * 4))
        let store = StoreInMemory(bytes)
        let device = try VMDKImage.open(storage: store, context: ImportContext(policy: .standalone))
        let before = store.runCount
        let found = try device.extents(at: 0, length: device.size)
        #expect(found.map(\.kind) == [.hole, .data] && found.last?.length == 4096, "\(found)")
        #expect(store.runCount - before <= 2)
        try device.close()
    }

    // MARK: VHD

    /// As Virtual PC wrote them before 2004.
    @Test("a fixed VHD without the footer's last byte is read from a pipe (case 2.1)")
    func aFixedVHDWithoutTheFootersLastByteIsReadFromAPipe() throws {
        var random = SeededRandom.printed()
        for size in [512, 1 << 20, (1 << 20) + 512] {
            let disk = MemoryDevice(content: random.bytes(size))
            let fixed = StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed))
            let bytes = Array(try streamBytes(disk, .vhd, fixed).dropLast())
            #expect(try equalContent(VHDImage.open(file: StoreInMemory(bytes), readOnly: true), disk))
            for piece in [1 << 20, 511, 700] {
                #expect(try equalContent(readBack(bytes, .vhd, piece: piece), disk), "\(size) in \(piece)")
            }
            // Of unknown length: said beforehand, or found in the end.
            for isSaid in [true, false] {
                var options = StreamReadOptions()
                if isSaid { options.rawSize = disk.size } else { options.provisionalSize = 4 << 20 }
                let made = MemoryDevice(size: isSaid ? disk.size : 4 << 20)
                let destination = StreamDestination.make { (_) throws(BlockError) in made }
                let counter = ProgressCounter()
                let length = try DiskImage.readStream(
                    from: ArraySource(bytes), as: .vhd, options: options, into: destination, progress: counter)
                #expect(length == disk.size && counter.done == disk.size)
                #expect(try made.bytes(at: 0, count: size) == disk.bytes(at: 0, count: size))
            }
            // Into a disk of that size, and into one that lacks a sector.
            let target = MemoryDevice(size: disk.size)
            try DiskImage.readStream(from: ArraySource(bytes), as: .vhd, into: .device(target, isFresh: true))
            #expect(try equalContent(target, disk))
            let small = StreamDestination.device(MemoryDevice(size: disk.size - 512), isFresh: true)
            #expect(code { try DiskImage.readStream(from: ArraySource(bytes), as: .vhd, into: small) } == .outOfRange)
            #expect(code { _ = try readBack(Array(bytes.dropLast()), .vhd) } == .invalidImage)
        }
    }

    /// 10 GiB, which the geometry says 40,960 bytes less of.
    private func image(creator: String) throws -> StoreInMemory {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 10 << 30, blockSize: 2 << 20)
        for place in [0, try store.size() - 512] {
            var bytes = try store.array(at: place, count: 512)
            bytes.replaceSubrange(28..<32, with: Array(creator.utf8))
            bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
            try store.store(bytes, at: place)
        }
        return store
    }

    @Test(
        "which of its two sizes a VHD has can be said (case 2.2)",
        arguments: [("vpc ", true), ("qemu", true), ("tap\0", false), ("win ", false)])
    func whichOfItsTwoSizesAVHDHasCanBeSaid(_ creator: String, _ followsGeometry: Bool) throws {
        let store = try image(creator: creator)
        let (field, geometry): (UInt64, UInt64) = (10 << 30, (10 << 30) - 40960)
        let expected: [(OpenPolicy.VHDSize, UInt64)] = [
            (.creator, followsGeometry ? geometry : field), (.field, field), (.geometry, geometry),
        ]
        func opened(_ choice: OpenPolicy.VHDSize, readOnly: Bool) throws -> any BlockDevice {
            var policy = OpenPolicy.standalone
            policy.vhdSize = choice
            return try VHDImage.open(file: store, readOnly: readOnly, chain: ChainContext(policy: policy))
        }
        for (choice, size) in expected {
            let device = try opened(choice, readOnly: true)
            #expect(device.size == size, "\(choice)")
            #expect(DiskImage.notes(of: device).count == (size == field ? 0 : 1), "\(choice)")
            #expect(try VHDImage.info(file: store, size: choice).virtualSize == size, "\(choice)")
        }
        // What lies behind the lesser size is written, checked and read where it is asked for, and is nobody's else.
        let device = try opened(.field, readOnly: false)
        try device.store([7, 8], at: field - 2)
        try device.close()
        #expect(try opened(.field, readOnly: true).bytes(at: field - 2, count: 2) == [7, 8])
        let report = try VHDImage.check(file: store, repair: .all, size: .field, cancellation: CancellationFlag())
        #expect(report.isClean, "\(report.findings)")
        #expect(try opened(.field, readOnly: true).bytes(at: field - 2, count: 2) == [7, 8])
        // The very size, as another one below, makes both the same.
        let settled = try opened(.field, readOnly: false)
        try (settled as? any ResizableDevice)?.resize(to: field, preallocation: .off)
        try settled.close()
        let plain = try opened(.creator, readOnly: true)
        #expect(plain.size == field)
        #expect(try plain.bytes(at: field - 2, count: 2) == [7, 8])
        let grown = try opened(.field, readOnly: false)
        try (grown as? any ResizableDevice)?.resize(to: 11 << 30, preallocation: .off)
        try grown.close()
        #expect(try opened(.creator, readOnly: true).size == 11 << 30)
    }
}
