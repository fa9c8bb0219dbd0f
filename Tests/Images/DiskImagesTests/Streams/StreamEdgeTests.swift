import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Corners of single formats in streams.
@Suite struct StreamEdgeTests {
    // MARK: VHD

    @Test(
        "the payload of a fixed VHD is never parsed (case 2.21)",
        arguments: ["conectix and nothing else", "a fixed footer", "qcow2", "KDMV"])
    func payloadOfAFixedVHD(_ kind: String) throws {
        var content = [UInt8](repeating: 0x5A, count: 1 << 20)
        switch kind {
        case "a fixed footer": content.replaceSubrange(..<512, with: VHDFooter(new: .fixed, size: 4096).bytes)
        case "qcow2": content.replaceSubrange(..<8, with: [0x51, 0x46, 0x49, 0xFB, 0, 0, 0, 3])
        default:
            content.replaceSubrange(
                ..<8, with: Array(kind.utf8.prefix(8)) + [0, 0, 0, 0].prefix(8 - min(kind.utf8.count, 8)))
        }
        let disk = MemoryDevice(content: content)
        let bytes = try streamBytes(disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed)))
        #expect(try equalContent(readBack(bytes, .vhd, piece: 777), disk))
    }

    @Test func aFixedVHDInAPipeNeedsItsSizeOrADisk() throws {
        let disk = MemoryDevice(content: [UInt8](repeating: 3, count: 1 << 20))
        let bytes = try streamBytes(disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed)))
        var options = StreamReadOptions()
        let make = StreamDestination.make { (size) throws(BlockError) in MemoryDevice(size: size) }
        for (format, stream) in [(StreamFormat.vhd, bytes), (.raw, try streamBytes(disk, .raw))] {
            options.rawSize = nil
            #expect(
                code { try DiskImage.readStream(from: ArraySource(stream), as: format, options: options, into: make) }
                    == .unsupported)
            options.rawSize = disk.size
            #expect(
                try DiskImage.readStream(from: ArraySource(stream), as: format, options: options, into: make)
                    == disk.size)
            for wrong in [disk.size - 512, disk.size + 512] {
                options.rawSize = wrong
                #expect(
                    code {
                        try DiskImage.readStream(from: ArraySource(stream), as: format, options: options, into: make)
                    } != nil)
            }
        }
    }

    @Test(arguments: [StreamFormat.raw, .vhd])
    func progressKnowsTheSizeThatIsSaid(_ format: StreamFormat) throws {
        let disk = MemoryDevice(content: [UInt8](repeating: 3, count: 1 << 20))
        let bytes =
            format == .raw
            ? try streamBytes(disk, .raw)
            : try streamBytes(disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed)))
        var options = StreamReadOptions()
        options.rawSize = disk.size
        let counter = ProgressCounter()
        let make = StreamDestination.make { (size) throws(BlockError) in
            #expect(counter.done == 0)
            return MemoryDevice(size: size)
        }
        try DiskImage.readStream(
            from: ArraySource(bytes), as: format, options: options, into: make, progress: counter)
        #expect(counter.total == disk.size && counter.done == disk.size)
    }

    @Test func aFixedVHDThatWasGrowingHasItsSizeFromBeforeInAPipeToo() throws {
        let disk = MemoryDevice(content: [UInt8](repeating: 3, count: 1 << 20))
        let whole = try streamBytes(disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed)))
        let growing = VHDFooter(new: .fixed, size: disk.size).growing(from: 512 << 10, fileOf: (512 << 10) + 512).bytes
        var options = StreamReadOptions()
        options.rawSize = 512 << 10
        let make = StreamDestination.make { (size) throws(BlockError) in MemoryDevice(size: size) }
        let bytes = Array(whole.dropLast(512)) + growing
        func read() throws -> UInt64 {
            try DiskImage.readStream(from: ArraySource(bytes), as: .vhd, options: options, into: make)
        }
        #expect(try read() == 512 << 10)
        options.rawSize = disk.size
        #expect(code { _ = try read() } == .invalidImage)
    }

    @Test func aDiskThatIsSaidToBeLargerThanTheDestinationIsRefused() throws {
        var random = SeededRandom.printed()
        let kept = random.bytes(1 << 20)
        var options = StreamReadOptions()
        options.rawSize = 2 << 20
        let target = MemoryDevice(content: kept)
        let found = code {
            try DiskImage.readStream(
                from: ArraySource(random.bytes(2 << 20)), as: .raw, options: options,
                into: .device(target, isFresh: false))
        }
        #expect(try found == .outOfRange && target.bytes(at: 0, count: kept.count) == kept)
    }

    @Test func blocksThatLieOverOthersAreRefused() throws {
        var random = SeededRandom.printed()
        let disk = MemoryDevice(size: 8 << 20)
        for block in 0..<4 { try disk.store(random.bytes(3000), at: UInt64(block) << 21) }
        let bytes = try streamBytes(disk, .vhd)
        let starts = (0..<4).map { BigEndianBytes(Array(bytes[1536..<2048])).u32($0 * 4) }
        // Another block's place, inside another block, the footer's copy, the header, the table itself, behind the end.
        for place in [starts[2], starts[2] + 8, 0, 1, 3, 1 << 30] {
            var changed = bytes
            changed.replaceBigEndian(at: 1536 + 4, with: place)
            let found = HostileStreamTests.outcome(changed, .vhd).code
            #expect(found == (place == 1 << 30 ? .invalidImage : .corrupt), "\(place): \(String(describing: found))")
        }
        // In any order, as long as the tables come first.
        var swapped = bytes
        let (a, b) = (Int(starts[0]) * 512, Int(starts[3]) * 512)
        let length = 512 + (2 << 20)
        swapped.replaceSubrange(a..<a + length, with: bytes[b..<b + length])
        swapped.replaceSubrange(b..<b + length, with: bytes[a..<a + length])
        swapped.replaceBigEndian(at: 1536, with: starts[3])
        swapped.replaceBigEndian(at: 1536 + 12, with: starts[0])
        #expect(try equalContent(readBack(swapped, .vhd), disk))
    }

    @Test func libvhdiReadsOurStreams() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let disk = try randomDisk(size: 9 << 20, pieces: 10, longest: 300_000, random: &random)
        for subformat in CreateOptions.VHDSubformat.allCases {
            let bytes = try streamBytes(
                disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: subformat)))
            try Data(bytes).write(to: URL(fileURLWithPath: folder.file("a.vhd")))
            let script = """
                import pyvhdi, sys
                image = pyvhdi.file(); image.open(sys.argv[1])
                with open(sys.argv[2], 'wb') as out:
                    while image.get_offset() < image.get_media_size(): out.write(image.read_buffer(65536))
                """
            try Tool.check("/usr/bin/python3", ["-c", script, folder.file("a.vhd"), folder.file("a.raw")])
            let found = try StreamReadingTests.content(folder.file("a.raw"))
            #expect(try found == disk.bytes(at: 0, count: Int(disk.size)))
        }
    }

    // MARK: VMDK

    /// Where the markers of grains are in a stream of QEMU's.
    static func grains(_ bytes: [UInt8]) throws -> [Int] {
        let header = try VMDKSparseHeader(Array(bytes[..<512]))
        var at = Int(header.overheadSectors) * 512
        var found: [Int] = []
        while at + 512 <= bytes.count {
            let size = Int(LittleEndianBytes(Array(bytes[at..<at + 16])).u32(8))
            if size == 0 { break }
            found.append(at)
            at += (size + 12 + 511) / 512 * 512
        }
        return found
    }

    @Test("damaged VMDK streams are refused (case 5.8)")
    func damagedVMDKs() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let disk = MemoryDevice(size: 1 << 20)
        for grain in [0, 3, 4, 9] { try disk.store(random.bytes(20_000), at: UInt64(grain) << 16) }
        let bytes = try HostileStreamTests.vmdk(disk, folder)
        let grains = try Self.grains(bytes)
        #expect(grains.count == 4)
        #expect(try equalContent(readBack(bytes, .vmdk), disk))
        func found(_ change: (inout [UInt8]) -> Void) -> BlockError.Code? {
            var changed = bytes
            change(&changed)
            return HostileStreamTests.outcome(changed, .vmdk).code
        }
        // The sector of another grain: out of order, twice, between grains, behind the end of the disk.
        for sector in [0, 1, 384, 640, 2048] as [UInt32] {
            let code = found { bytes in
                for index in 0..<8 {
                    bytes[grains[2] + index] = index < 4 ? UInt8(truncatingIfNeeded: sector >> (8 * UInt32(index))) : 0
                }
            }
            // Grain 5 in place of grain 4 is a grain like others; only a table would know.
            #expect(code == (sector == 640 ? nil : .corrupt), "\(sector)")
        }
        // No bytes, too many, too few, and bytes that inflate to something else.
        #expect(
            found { for index in 8..<12 { $0[grains[2] + index] = 0 } } == .corrupt
                || found { for index in 8..<16 { $0[grains[2] + index] = 0 } } == .invalidImage)
        #expect(found { $0[grains[2] + 11] = 0x7F } == .corrupt)
        #expect(found { $0[grains[2] + 9] = 0 } == .corrupt)
        #expect(found { $0[grains[2] + 200] ^= 4 } == .corrupt)
        // The end: nothing where a grain should be, something behind the end.
        #expect(found { $0.removeSubrange(grains[3]...) } == .invalidImage)
        #expect(found { for index in grains[3]..<$0.count { $0[index] = 0 } } == .invalidImage)
        #expect(found { $0 += [0, 0, 7] } == .invalidImage)
        // A parent that the descriptor names.
        #expect(
            found { bytes in
                let text = Array("parentCID=ffffffff".utf8)
                guard let at = bytes.indices.first(where: { bytes[$0...].starts(with: text) }) else { return }
                bytes.replaceSubrange(at..<at + text.count, with: Array("parentCID=12345678".utf8))
            } == .denied)
        // What QEMU leaves out behind a last grain that does not shrink: the stream ends with it.
        let ends = Array(bytes[..<bytes.count])
        let (start, size) = (grains[3], Int(LittleEndianBytes(Array(ends[grains[3]..<grains[3] + 16])).u32(8)))
        let exact = Array(ends[..<(start + (size + 12 + 511) / 512 * 512)])
        #expect(try equalContent(readBack(exact, .vmdk), disk))
    }

    @Test(
        "VMDK streams with their tables behind, in front, and without any (cases 5.6, 5.8)", arguments: [16, 128, 2048])
    func vmdkStreamsOfEveryKind(_ grain: UInt64) throws {
        var random = SeededRandom.printed("\(#function) \(grain)")
        var builder = VMDKBuilder(capacity: grain * 9 + 8, grain: grain)
        for index in [0, 3, 4, 9] as [UInt64] { builder.grains[index] = random.bytes(Int(grain) * 512) }
        for place in VMDKBuilder.Directory.allCases {
            let bytes = builder.stream(place)
            let device = try readBack(bytes, .vmdk, piece: 4099)
            #expect(try device.bytes(at: 0, count: Int(device.size)) == builder.content, "\(place)")
            // Without an end mark only the tables in front tell that something is missing.
            for cut in [512, 1024, bytes.count / 2] {
                let found = HostileStreamTests.outcome(Array(bytes.dropLast(cut)), .vmdk).code
                #expect(found == .invalidImage || found == .corrupt, "\(place) \(cut): \(String(describing: found))")
            }
            #expect(HostileStreamTests.outcome(bytes + [1], .vmdk).code != nil)
        }
        let twice = builder.stream(.none, order: [0, 3, 3, 9])
        #expect(HostileStreamTests.outcome(twice, .vmdk).code == .corrupt)
        #expect(HostileStreamTests.outcome(builder.stream(.none, order: [3, 0, 9]), .vmdk).code == .corrupt)
        for size in [0, Int(grain) * 512 - 1, Int(grain) * 512 + 1] {
            let packed = VMDKBuilder.zlib([UInt8](repeating: 1, count: size))
            let bytes = builder.stream(.none) { index, marker in
                if index == 3 { marker.replaceSubrange(8..., with: UInt32(packed.count).bytes + packed) }
            }
            #expect(HostileStreamTests.outcome(bytes, .vmdk).code == .corrupt, "\(size)")
        }
    }

    // MARK: Compressed clusters

    @Test("compressed clusters in all their forms (cases 4.8, 4.9)")
    func compressedClusters() throws {
        let folder = try ScratchFolder("stream")
        // 16 KiB of noise four times; frames and streams that others might write.
        let script = """
            import os, random, subprocess, sys, zlib
            os.chdir(sys.argv[1])
            random.seed(7)
            noise = bytes(random.randrange(256) for _ in range(16384))
            data = noise * 4
            def put(name, content): open(name, 'wb').write(content)
            def raw(content):
                c = zlib.compressobj(9, zlib.DEFLATED, -15)
                return c.compress(content) + c.flush()
            def zstd(content, *options):
                return subprocess.run(['zstd', '-q', '-c', *options], input=content, stdout=subprocess.PIPE, check=True).stdout
            put('data', data)
            put('zlib-far', raw(data)); put('zlib-garbage', raw(data) + b'someone else')
            put('zlib-short', raw(data[:-1])); put('zlib-long', raw(data + b'x')); put('zlib-cut', raw(data)[:-900])
            put('zstd-one', zstd(data)); put('zstd-two', zstd(data[:30000]) + zstd(data[30000:]))
            put('zstd-skip', bytes([0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]) + zstd(data))
            put('zstd-garbage', zstd(data) + b'someone else')
            put('zstd-short', zstd(data[:-1])); put('zstd-long', zstd(data + b'x')); put('zstd-cut', zstd(data)[:-9])
            put('zstd-window', zstd(data, '--long=27', '--stream-size=134217728') if False else zstd(bytes(20000000), '--long=27'))
            """
        try Tool.check("/usr/bin/python3", ["-c", script, folder.path])
        let data = try StreamReadingTests.content(folder.file("data"))
        for name in try folder.contents() where name != "data" {
            let input = try StreamReadingTests.content(folder.file(name))
            let decoder = try ClusterDecoder(clusterSize: 65536, isZstd: name.hasPrefix("zstd"))
            // Twice: the second answer does not depend on the first.
            for _ in 0..<2 {
                let good = unsafe input.withUnsafeBytes { bytes -> (Bool, Int)? in
                    guard let (content, used) = unsafe decoder.decode(bytes) else { return nil }
                    return unsafe (Array(content) == data, used)
                }
                let isGood = ["zlib-far", "zlib-garbage", "zstd-one", "zstd-two", "zstd-skip", "zstd-garbage"].contains(
                    name)
                #expect((good != nil) == isGood, "\(name)")
                if let good {
                    #expect(good.0 && good.1 == input.count - (name.hasSuffix("garbage") ? 12 : 0), "\(name)")
                }
            }
        }
    }

    // MARK: The way of the bytes

    @Test func descriptorsThatWouldBlockAreWaitedFor() throws {
        let pipe = Pipe()
        for end in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            let flags = fcntl(end.fileDescriptor, F_GETFL)
            #expect(fcntl(end.fileDescriptor, F_SETFL, flags | O_NONBLOCK) == 0)
        }
        let disk = MemoryDevice(content: [UInt8](repeating: 9, count: 3 << 20))
        let writer = pipe.fileHandleForWriting
        let thread = WorkerThread("writer") {
            try? DiskImage.writeStream(of: disk, as: .qcow2, to: DescriptorSink(writer.fileDescriptor))
            try? writer.close()
        }
        let copy = MemoryDevice(size: disk.size)
        try DiskImage.readStream(
            from: DescriptorSource(pipe.fileHandleForReading.fileDescriptor), as: .qcow2,
            into: .device(copy, isFresh: true))
        thread.join()
        #expect(try equalContent(copy, disk))
    }

    @Test func aLimitLetsExactlyItsBytesThrough() throws {
        let buffer = AlignedBuffer(count: 100)
        for (length, limit, isFine) in [(10, 10, true), (10, 11, true), (11, 10, false), (0, 0, true), (1, 0, false)] {
            let source = LimitedSource(ArraySource([UInt8](repeating: 1, count: length)), limit: UInt64(limit))
            let found = code { _ = try unsafe source.readFully(into: buffer.bytes) }
            #expect(found == (isFine ? nil : .limitExceeded))
        }
    }
}
