import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Streams that lie, end early, or never end: a typed error in bounded time and memory. Cases 5.8, 6.13.
@Suite struct HostileStreamTests {
    static let typed: Set<BlockError.Code> = [
        .invalidImage, .corrupt, .unsupported, .limitExceeded, .outOfRange, .denied,
    ]

    /// Reads a stream whose disk may claim anything, into little memory.
    static func outcome(
        _ bytes: [UInt8], _ format: StreamFormat, spill: ScratchFolder? = nil, virtual: UInt64 = 256 << 20
    ) -> (code: BlockError.Code?, device: MemoryDevice?) {
        var options = StreamReadOptions()
        options.largestVirtualSize = virtual
        options.largestMetadata = 8 << 20
        options.spillFolder = spill?.path
        var device: MemoryDevice?
        let found = code { device = try readBack(bytes, format, options: options) }
        return (found, device)
    }

    static func vmdk(_ disk: MemoryDevice, _ folder: ScratchFolder) throws -> [UInt8] {
        try Data(disk.bytes(at: 0, count: Int(disk.size))).write(to: URL(fileURLWithPath: folder.file("m")))
        try Tool.check(
            "qemu-img",
            [
                "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", folder.file("m"),
                folder.file("v"),
            ])
        defer { for name in ["m", "v"] { try? FileManager.default.removeItem(atPath: folder.file(name)) } }
        return try StreamReadingTests.content(folder.file("v"))
    }

    static func seeds(_ folder: ScratchFolder, _ random: inout SeededRandom) throws -> [(
        StreamFormat, [UInt8], MemoryDevice
    )] {
        let disk = MemoryDevice(size: 2 << 20)
        for place in [0, 300_000, 1_300_000] { try disk.store(random.bytes(9000), at: UInt64(place)) }
        let small = StreamWriteOptions(image: CreateOptions(clusterSize: 4096))
        return [
            (.vhd, try streamBytes(disk, .vhd), disk), (.qcow2, try streamBytes(disk, .qcow2, small), disk),
            (.qcow2, try StreamReadingTests.tablesLast(disk), disk), (.vmdk, try vmdk(disk, folder), disk),
            (.vhd, try streamBytes(disk, .vhd, StreamWriteOptions(image: CreateOptions(vhdSubformat: .fixed))), disk),
        ]
    }

    @Test("a stream cut off anywhere is not taken for whole (case 5.8)")
    func cutOffStreams() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        for (format, bytes, disk) in try Self.seeds(folder, &random) {
            var cuts = (0..<60).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
            cuts += [0, 1, 511, 512, 1535, 1536, bytes.count - 1, bytes.count - 511, bytes.count - 512]
            for cut in cuts {
                let found = Self.outcome(Array(bytes[..<cut]), format, spill: folder)
                if let device = found.device {
                    // A qcow2 image may end inside its last cluster, the rest of which is zeroes. Else only what means
                    // nothing may be missing: zeroes that QEMU pads a VMDK with, the last byte of a VHD.
                    let isHarmless = try format == .qcow2 ? cut > bytes.count - 4096 : equalContent(device, disk)
                    #expect(isHarmless, "\(format) cut at \(cut) of \(bytes.count)")
                } else {
                    #expect(
                        found.code.map(Self.typed.contains) == true,
                        "\(format) cut at \(cut): \(String(describing: found.code))")
                }
            }
            #expect(try equalContent(#require(Self.outcome(bytes, format, spill: folder).device), disk))
        }
        #expect(try folder.contents() == [])
    }

    @Test("what follows the end of a stream is refused (case 5.8)")
    func garbageBehind() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        for (format, bytes, _) in try Self.seeds(folder, &random) where format != .qcow2 {
            for extra in [1, 512, 70_000] {
                let found = Self.outcome(bytes + random.bytes(extra), format).code
                #expect(
                    found == .invalidImage || found == .corrupt,
                    "\(format) and \(extra) bytes: \(String(describing: found))")
            }
        }
    }

    @Test("mutated streams give a typed error or a disk of an allowed size (case 6.13)")
    func mutatedStreams() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let values: [UInt64] = [
            0, 1, 7, 511, 512, 4096, 65536, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40, 1 << 55, 1 << 56, 1 << 61,
            UInt64(Int64.max), .max,
        ]
        for (format, bytes, _) in try Self.seeds(folder, &random) {
            // Where the structure is: the beginning, the tables, the end.
            let hot = min(bytes.count, format == .qcow2 ? 48 << 10 : 6 << 10)
            for _ in 0..<150 {
                var mutated = bytes
                for _ in 0..<Int.random(in: 1...2, using: &random) {
                    let at =
                        (Int.random(in: 0..<8, using: &random) == 0 ? bytes.count - 1536 : 0)
                        + Int.random(in: 0..<min(hot, 1536), using: &random)
                        * (Bool.random(using: &random) ? 1 : hot / 1536)
                    guard at + 8 <= mutated.count, at >= 0 else { continue }
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: mutated[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    case 1:
                        mutated.replaceBigEndian(
                            at: at & ~3, with: UInt32(truncatingIfNeeded: values.randomElement(using: &random) ?? 0))
                    default:
                        var word: [UInt8] = []
                        word.appendBigEndian(values.randomElement(using: &random) ?? 0)
                        mutated.replaceSubrange(at & ~7..<at & ~7 + 8, with: word)
                    }
                }
                if format == .vhd { Self.mend(&mutated) }
                let found = Self.outcome(mutated, format, spill: Bool.random(using: &random) ? folder : nil)
                if let device = found.device {
                    #expect(device.size <= 256 << 20)
                } else {
                    #expect(found.code.map(Self.typed.contains) == true, "\(String(describing: found.code))")
                }
            }
        }
        #expect(try folder.contents() == [])
    }

    /// Makes the check sums of a VHD right again, so that what they guard is reached.
    static func mend(_ bytes: inout [UInt8]) {
        func mend(_ start: Int, _ length: Int, _ field: Int) {
            guard start >= 0, start + length <= bytes.count else { return }
            let part = Array(bytes[start..<start + length])
            bytes.replaceBigEndian(at: start + field, with: VHDFooter.checksum(part, field: field))
        }
        mend(0, 512, 64)
        mend(512, 1024, 36)
        mend(bytes.count - 512, 512, 64)
    }

    @Test func claimsOfSizeAreCheckedBeforeAnythingIsMade() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let kept = random.bytes(1 << 20)
        for (format, bytes, disk) in try Self.seeds(folder, &random) {
            if bytes.prefix(4) == [0, 0, 0, 0] { continue }
            // A limit of the caller's, and a destination that is too small and keeps what it holds.
            if format != .vhd || VHDFooter(Array(bytes[..<512])) != nil {
                #expect(Self.outcome(bytes, format, virtual: disk.size - 512).code == .limitExceeded)
                let target = MemoryDevice(content: kept)
                let found = code {
                    try DiskImage.readStream(
                        from: ArraySource(bytes), as: format, into: .device(target, isFresh: false))
                }
                #expect(try found == .outOfRange && target.bytes(at: 0, count: kept.count) == kept)
            }
        }
        // 2 EiB in an empty image.
        var header = QCOW2Header()
        header.clusterBits = 21
        header.size = 2 << 60
        header.l1Entries = 4 << 20
        header.l1Offset = 2 << 21
        header.refcountTableOffset = 1 << 21
        let bomb = try header.encoded()
        #expect(Self.outcome(bomb + [UInt8](repeating: 0, count: 3 << 21), .qcow2).code == .limitExceeded)
        #expect(Self.outcome(bomb + [UInt8](repeating: 0, count: 3 << 21), .qcow2, virtual: .max).code == .invalidImage)
    }

    @Test("one cluster for the whole disk is refused (case 6.13)", arguments: [false, true])
    func oneClusterForAll(_ compressed: Bool) throws {
        let folder = try ScratchFolder("stream")
        let disk = MemoryDevice(content: [UInt8](repeating: 0x55, count: 64 << 20))
        try Data(disk.bytes(at: 0, count: 64 << 20)).write(to: URL(fileURLWithPath: folder.file("m")))
        let image = folder.file("i")
        try Tool.check(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "qcow2"] + (compressed ? ["-c"] : []) + [folder.file("m"), image])
        var bytes = try StreamReadingTests.content(image)
        let l1 = Int(BigEndianBytes(Array(bytes[..<512])).u64(40))
        let l2 = Int(BigEndianBytes(Array(bytes[l1..<l1 + 8])).u64(0) & QCOW2Entry.offsetMask)
        let first = Array(bytes[l2..<l2 + 8])
        for index in 0..<1024 { bytes.replaceSubrange(l2 + index * 8..<l2 + index * 8 + 8, with: first) }
        #expect(Self.outcome(bytes, .qcow2, spill: folder).code == .corrupt)
    }

    @Test func tablesThatWouldTakeTooMuchMemoryAreRefused() throws {
        // Blocks of 512 bytes, each with an entry of its own: 24 bytes of memory for 4 of the stream.
        var footer = VHDFooter(new: .dynamic, size: 512 << 20).bytes
        footer.replaceBigEndian(at: 64, with: VHDFooter.checksum(footer))
        var header = VHDHeader(tableOffset: 1536, entryCount: 1 << 20, blockSize: 512).encoded()
        header.replaceBigEndian(at: 36, with: VHDFooter.checksum(header, field: 36))
        var table: [UInt8] = []
        for block in 0..<1 << 20 { table.appendBigEndian(UInt32(10000 + 2 * block)) }
        #expect(Self.outcome(footer + header + table, .vhd, virtual: .max).code == .limitExceeded)
    }

    /// Until the table that the header promises far behind comes, every byte might be wanted.
    @Test("what is kept aside of an endless stream is bounded (case 6.13)")
    func bytesThatNoTableNamesAreBounded() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        var header = QCOW2Header()
        header.clusterBits = 16
        header.size = 64 << 20
        header.l1Entries = 1
        header.l1Offset = 1 << 50
        header.refcountTableOffset = 1 << 16
        header.refcountTableClusters = 1
        var bytes = try header.encoded()
        bytes += [UInt8](repeating: 0, count: (2 << 16) - bytes.count)
        let noise = random.bytes(1 << 20)
        for _ in 0..<24 { bytes += noise }
        var options = StreamReadOptions()
        options.spillFolder = folder.path
        #expect(code { _ = try readBack(bytes, .qcow2, options: options) } == .invalidImage)
        options.largestSpill = 16 << 20
        #expect(code { _ = try readBack(bytes, .qcow2, options: options) } == .limitExceeded)
        #expect(try folder.contents() == [])
    }

    @Test func differencingStreamsNeedTheirParent() throws {
        var random = SeededRandom.printed()
        let parent = try randomDisk(size: 6 << 20, pieces: 6, longest: 500_000, random: &random)
        try parent.store(random.bytes(4096), at: 0)
        let child = MemoryDevice(size: 6 << 20)
        try child.store(random.bytes(3 * 512), at: 1024)
        var bytes = try streamBytes(child, .vhd)
        // The one block's sectors 2 to 4 are the child's, and the parent is known by its identifier.
        for start in [0, bytes.count - 512] { bytes.replaceBigEndian(at: start + 60, with: 4) }
        bytes.replaceSubrange(552..<568, with: (1...16).map { UInt8($0) })
        let block = Int(BigEndianBytes(Array(bytes[1536..<1540])).u32(0)) * 512
        bytes.replaceSubrange(block..<block + 512, with: [0x38] + [UInt8](repeating: 0, count: 511))
        Self.mend(&bytes)
        #expect(Self.outcome(bytes, .vhd).code == .denied)
        var options = StreamReadOptions()
        options.parent = StreamReadOptions.Parent(device: parent, identifier: "01020304-0506-0708-090a-0b0c0d0e0f11")
        #expect(code { _ = try readBack(bytes, .vhd, options: options) } == .invalidImage)
        options.parent?.identifier = "01020304-0506-0708-090A-0B0C0D0E0F10"
        try parent.store(child.bytes(at: 1024, count: 1536), at: 1024)
        #expect(try equalContent(readBack(bytes, .vhd, options: options), parent))
    }

    @Test func overlaysNeedTheirParentToo() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        let parent = try StreamReadingTests.model(folder, size: 4 << 20, random: &random)
        let top = folder.file("top")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-b", folder.file("model"), "-F", "raw", top])
        try Tool.check("qemu-io", ["-f", "qcow2", "-c", "write -P 9 70000 9000", "-c", "write -z 1M 256k", top])
        let bytes = try StreamReadingTests.content(top)
        #expect(Self.outcome(bytes, .qcow2).code == .denied)
        var options = StreamReadOptions()
        options.parent = StreamReadOptions.Parent(device: parent)
        let found = try readBack(bytes, .qcow2, options: options)
        try parent.store([UInt8](repeating: 9, count: 9000), at: 70000)
        try parent.store([UInt8](repeating: 0, count: 256 << 10), at: 1 << 20)
        #expect(try equalContent(found, parent))
    }

    @Test func whatTheDestinationHeldIsGone() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("stream")
        for (format, bytes, disk) in try Self.seeds(folder, &random) {
            let target = MemoryDevice(content: random.bytes(3 << 20))
            let behind = try target.bytes(at: disk.size, count: 1 << 20)
            try DiskImage.readStream(
                from: ArraySource(bytes), as: format, into: .device(target, isFresh: false))
            #expect(try target.bytes(at: 0, count: Int(disk.size)) == disk.bytes(at: 0, count: Int(disk.size)))
            // Of a fixed VHD all is data; nothing touches what lies behind.
            #expect(try target.bytes(at: disk.size, count: 1 << 20) == behind)
        }
    }
}
