import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Streams that others make are read as what they hold.
@Suite struct StreamReadingTests {
    static func content(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    /// A raw file with data, zeroes and holes, and the same as a device.
    static func model(
        _ folder: ScratchFolder, size: UInt64, random: inout SeededRandom, compressible: Bool = false
    ) throws -> MemoryDevice {
        let disk = MemoryDevice(size: size)
        for index in 0..<12 {
            let count = Int(min(UInt64(Int.random(in: 1...300_000, using: &random)), size))
            let offset = UInt64.random(in: 0...size - UInt64(count), using: &random)
            var bytes = random.bytes(count)
            if compressible && index % 4 != 0 {
                // Noise repeated: deflate finds it far behind, beyond a window of 4 KiB (case 4.8).
                for at in stride(from: 16384, to: count, by: 1) { bytes[at] = bytes[at - 16384] }
            }
            try disk.store(bytes, at: offset)
        }
        try Data(disk.bytes(at: 0, count: Int(size))).write(to: URL(fileURLWithPath: folder.file("model")))
        return disk
    }

    @Test(
        "qcow2 images of qemu-img are read from a stream (cases 4.6, 4.8, 4.9)",
        arguments: [
            "", "-o cluster_size=512", "-o cluster_size=4096,refcount_bits=1", "-o cluster_size=2M",
            "-o compat=0.10", "-o preallocation=metadata", "-o preallocation=full", "-o lazy_refcounts=on",
            "-o extended_l2=on", "-o extended_l2=on,cluster_size=16k", "-c", "-c -o cluster_size=512",
            "-c -o cluster_size=2M", "-c -o compression_type=zstd", "-c -o compression_type=zstd,cluster_size=4096",
        ])
    func qcow2OfQemu(_ options: String) throws {
        var random = SeededRandom.printed("\(#function) \(options)")
        let folder = try ScratchFolder("stream")
        let disk = try Self.model(folder, size: (9 << 20) + 512, random: &random, compressible: true)
        let words = options.split(separator: " ").map(String.init)
        try Tool.check(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "qcow2"] + words + [folder.file("model"), folder.file("image")])
        // Piecewise: small clusters of qemu's have tables behind data, which needs a place to keep them.
        var spilling = StreamReadOptions()
        spilling.spillFolder = folder.path
        let bytes = try Self.content(folder.file("image"))
        #expect(try equalContent(readBack(bytes, .qcow2, options: spilling, piece: 50_021), disk))
        #expect(try folder.contents() == ["image", "model"])
    }

    @Test(
        "VHDs of qemu-img are read from a stream",
        arguments: ["-o force_size=on", "-o subformat=fixed,force_size=on", "", "-o subformat=fixed"])
    func vhdOfQemu(_ options: String) throws {
        var random = SeededRandom.printed("\(#function) \(options)")
        let folder = try ScratchFolder("stream")
        _ = try Self.model(folder, size: 7 << 20, random: &random)
        let words = options.split(separator: " ").map(String.init)
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "vpc"] + words + [folder.file("model"), folder.file("image")])
        let stored = try DiskImage.open(path: folder.file("image"), format: .vhd, readOnly: true)
        #expect(try equalContent(readBack(Self.content(folder.file("image")), .vhd, piece: 9999), stored))
        try stored.close()
    }

    @Test("streamOptimized VMDKs of qemu-img are read from a stream", arguments: [7 << 20, 3 << 20 + 512] as [UInt64])
    func vmdkOfQemu(_ size: UInt64) throws {
        var random = SeededRandom.printed("\(#function) \(size)")
        let folder = try ScratchFolder("stream")
        let disk = try Self.model(folder, size: size, random: &random, compressible: true)
        let (model, image) = (folder.file("model"), folder.file("image"))
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", model, image])
        #expect(try equalContent(readBack(Self.content(image), .vmdk, piece: 70_001), disk))
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicSparse", model, image])
        #expect(code { _ = try readBack(Self.content(image), .vmdk) } == .unsupported)
    }

    @Test func ourOwnFilesAreStreamsToo() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        for format in ImageFormat.allCases {
            let path = folder.file(format.rawValue)
            let image = try DiskImage.create(path: path, format: format, size: 33 << 20)
            let model = MemoryDevice(size: 33 << 20)
            // In any order: blocks and clusters do not ascend.
            for _ in 0..<15 {
                let piece = random.bytes(Int.random(in: 1...100_000, using: &random))
                let offset = UInt64.random(in: 0...model.size - UInt64(piece.count), using: &random)
                try image.store(piece, at: offset)
                try model.store(piece, at: offset)
            }
            try image.close()
            let reader = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let copy = MemoryDevice(size: model.size)
            var options = StreamReadOptions()
            options.spillFolder = folder.path
            let progress = ProgressCounter()
            try DiskImage.readStream(
                from: DescriptorSource(reader.fileDescriptor), as: StreamFormat(format), options: options,
                into: .device(copy, isFresh: true), progress: progress)
            #expect(try equalContent(copy, model))
            #expect(progress.total > 0 && progress.done == progress.total)
        }
    }

    /// An image with its tables behind the data, as written by those who know the tables last.
    static func tablesLast(_ disk: MemoryDevice) throws -> [UInt8] {
        let bytes = try streamBytes(disk, .qcow2, StreamWriteOptions(image: CreateOptions(clusterSize: 4096)))
        let header = BigEndianBytes(Array(bytes[..<512]))
        let (l1, size) = (Int(header.u64(40)), 4096)
        let entries = Int(header.u32(36))
        // L1 and L2 tables move to the end, and the pointers with them; refcounts are wrong then, and nobody asks.
        var moved = bytes
        let table = BigEndianBytes(Array(bytes[l1..<l1 + entries * 8]))
        var newL1: [UInt8] = []
        for index in 0..<entries {
            let l2 = Int(table.u64(index * 8) & QCOW2Entry.offsetMask)
            if l2 == 0 {
                newL1.appendBigEndian(UInt64(0))
                continue
            }
            newL1.appendBigEndian(UInt64(moved.count) | QCOW2Entry.copied)
            moved += bytes[l2..<l2 + size]
            moved.replaceSubrange(l2..<l2 + size, with: [UInt8](repeating: 0, count: size))
        }
        moved.replaceBigEndian(at: 40, with: 0)
        moved.replaceBigEndian(at: 44, with: UInt32(moved.count))
        return moved + newL1
    }

    @Test func dataBeforeTheirTablesNeedAPlaceToWait() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let disk = try randomDisk(size: 24 << 20, pieces: 60, longest: 400_000, random: &random)
        try disk.store(random.bytes(8 << 20), at: 1 << 20)
        let bytes = try Self.tablesLast(disk)
        #expect(code { _ = try readBack(bytes, .qcow2) } == .unsupported)
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        #expect(try equalContent(readBack(bytes, .qcow2, options: options, piece: 123_457), disk))
        #expect(try folder.contents() == [])
        // What fits the window needs none.
        let small = try randomDisk(size: 2 << 20, pieces: 4, longest: 100_000, random: &random)
        #expect(try equalContent(readBack(Self.tablesLast(small), .qcow2), small))
    }

    @Test(
        "compressed raw streams are read (cases 4.9, 6.13)",
        arguments: [
            "gzip -1", "gzip -9", "xz -0", "xz -6 -T2 --block-size=300000", "xz -1 --check=sha256", "zstd -1",
            "zstd -19 --check", "zstd -3 -T2",
        ])
    func compressedStreams(_ command: String) throws {
        var random = SeededRandom.printed("\(#function) \(command)")
        let folder = try ScratchFolder("stream")
        let disk = try Self.model(folder, size: 3 << 20, random: &random, compressible: true)
        let words = command.split(separator: " ").map(String.init)
        let compression = try #require(StreamCompression(rawValue: words[0]))
        let quiet = compression == .zstd ? "-q" : ""
        try Tool.check("sh", ["-c", "\(command) \(quiet) -c < \(folder.file("model")) > \(folder.file("packed"))"])
        let packed = try Self.content(folder.file("packed"))
        func read(_ bytes: [UInt8], limit: UInt64, piece: Int = .max) throws -> MemoryDevice {
            let copy = MemoryDevice(size: disk.size)
            let source = try compression.decompressed(
                ArraySource(bytes, largestPiece: piece), limits: DecompressionLimits(outputBytes: limit))
            var options = StreamReadOptions()
            options.rawSize = disk.size
            try DiskImage.readStream(from: source, as: .raw, options: options, into: .device(copy, isFresh: true))
            #expect(source.count == disk.size)
            return copy
        }
        #expect(try equalContent(read(packed, limit: disk.size), disk))
        #expect(try equalContent(read(packed, limit: disk.size, piece: 1000), disk))
        #expect(code { _ = try read(packed, limit: disk.size - 1) } == .limitExceeded)
        // Cut off anywhere, or followed by anything: never taken for whole.
        for _ in 0..<8 {
            let cut = Array(packed[..<Int.random(in: 0..<packed.count, using: &random)])
            #expect(code { _ = try read(cut, limit: disk.size) } == .invalidImage)
        }
        #expect(code { _ = try read(packed + Array("garbage behind".utf8), limit: disk.size) } == .invalidImage)
        // Some bits say nothing, or the same in another way. Never is anything else taken for the content.
        var refused = 0
        for _ in 0..<8 {
            var flipped = packed
            flipped[Int.random(in: 0..<packed.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let isEqual = try? equalContent(read(flipped, limit: disk.size), disk)
            #expect(isEqual != false)
            if isEqual == nil { refused += 1 }
        }
        #expect(refused > 0)
        for other in StreamCompression.allCases where other != compression {
            let source = try other.decompressed(ArraySource(packed), limits: DecompressionLimits(outputBytes: 1 << 30))
            #expect(
                code { try DiskImage.readStream(from: source, as: .raw, into: .device(disk, isFresh: true)) }
                    == .invalidImage)
        }
    }

    @Test func severalMembersAreOneContent() throws {
        let folder = try ScratchFolder("stream")
        try Tool.check(
            "sh",
            [
                "-ec",
                """
                cd \(folder.path)
                for t in gzip xz 'zstd -q'; do (printf 'first '; true) | $t -c; (printf second) | $t -c; done > /dev/null
                (printf 'first ' | gzip -c; printf second | gzip -c; head -c 600 /dev/zero) > gzip
                (printf 'first ' | xz -c; printf second | xz -c; head -c 8 /dev/zero) > xz
                (printf 'first ' | zstd -qc; printf '\\120\\052\\115\\030\\004\\000\\000\\000skip'; printf second | zstd -qc) > zstd
                """,
            ])
        for compression in StreamCompression.allCases {
            let source = try compression.decompressed(
                ArraySource(Self.content(folder.file(compression.rawValue)), largestPiece: 3),
                limits: DecompressionLimits(outputBytes: 12))
            let buffer = AlignedBuffer(count: 100)
            let count = try unsafe source.readFully(into: buffer.bytes)
            #expect(unsafe String(decoding: buffer.bytes[..<count], as: UTF8.self) == "first second")
        }
    }

    @Test func windowsThatAreTooLargeAreRefused() throws {
        let folder = try ScratchFolder("stream")
        try Tool.check(
            "sh",
            [
                "-ec",
                "cd \(folder.path); head -c 20000000 /dev/zero | zstd -q --long=27 -c > zstd; head -c 1000 /dev/zero | xz -9e -c > xz",
            ])
        for (compression, isZstd) in [(StreamCompression.zstd, true), (.xz, false)] {
            for isWide in [false, true] {
                var limits = DecompressionLimits(outputBytes: 1 << 30)
                if isWide { limits.zstdWindow = 128 << 20 } else { limits.xzMemory = 8 << 20 }
                let source = try compression.decompressed(
                    ArraySource(Self.content(folder.file(compression.rawValue))), limits: limits)
                let found = code {
                    let device = MemoryDevice(size: 20_000_256)
                    try DiskImage.readStream(from: source, as: .raw, into: .device(device, isFresh: true))
                }
                #expect(found == (isWide ? nil : .limitExceeded), "\(compression) \(isZstd)")
            }
        }
    }
}
