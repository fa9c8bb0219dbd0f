import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// What we write as a stream is read by us and by others; the length is known beforehand. Cases 2.20, 6.5.
@Suite struct StreamRoundTripTests {
    struct Variant: CustomTestStringConvertible {
        var format: ImageFormat
        var options = CreateOptions()
        var dropsZeroes = false
        var testDescription: String {
            "\(format) \(options.vhdSubformat) \(options.clusterSize)/\(options.refcountBits)"
                + (dropsZeroes ? " without zeroes" : "")
        }
        var write: StreamWriteOptions { StreamWriteOptions(image: options, dropsZeroes: dropsZeroes) }
        var qemuName: String { format == .vhd ? "vpc" : format.rawValue }
    }

    static let variants: [Variant] =
        [
            Variant(format: .raw), Variant(format: .vhd), Variant(format: .vhd, dropsZeroes: true),
            Variant(format: .vhd, options: CreateOptions(vhdSubformat: .fixed)),
            Variant(format: .qcow2), Variant(format: .qcow2, dropsZeroes: true),
        ]
        + [(512, 16), (512, 64), (4096, 1), (4096, 32), (2 << 20, 16)].map { (clusterSize, bits) in
            var options = CreateOptions(clusterSize: UInt64(clusterSize))
            options.refcountBits = bits
            return Variant(format: .qcow2, options: options, dropsZeroes: clusterSize == 4096)
        }

    @Test("a disk is the same behind a pipe (cases 2.20, 6.5)", arguments: variants)
    func aDiskIsTheSameBehindAPipe(_ variant: Variant) throws {
        var random = SeededRandom.printed("\(#function) \(variant.testDescription)")
        for size: UInt64 in [0, 512, (6 << 20) + 512 * UInt64.random(in: 0...5000, using: &random)] {
            let disk = try randomDisk(size: size, pieces: 14, longest: 300_000, random: &random)
            let plan = try StreamPlan(of: disk, as: variant.format, options: variant.write)
            let pipe = StreamPipe { (sink) throws(BlockError) in try plan.write(to: sink) }
            let copy = MemoryDevice(size: size)
            let read = ProgressCounter()
            let found = try DiskImage.readStream(
                from: pipe.source, as: StreamFormat(variant.format), into: .device(copy, isFresh: true), progress: read)
            try pipe.finish()
            #expect(found == size && read.done + 512 >= plan.length && read.done <= plan.length)
            #expect(try equalContent(copy, disk))
        }
    }

    @Test("every format becomes every other on the way", arguments: ImageFormat.allCases, ImageFormat.allCases)
    func everyFormatBecomesEveryOther(_ from: ImageFormat, _ to: ImageFormat) throws {
        var random = SeededRandom.printed("\(#function) \(from) \(to)")
        let folder = try ScratchFolder("stream")
        let disk = try randomDisk(size: 5 << 20, pieces: 8, longest: 200_000, random: &random)
        let first = try streamBytes(disk, from)
        let image = try DiskImage.create(path: folder.file("a"), format: to, size: disk.size)
        try DiskImage.readStream(
            from: ArraySource(first, largestPiece: 70_001), as: StreamFormat(from), into: .device(image, isFresh: true))
        #expect(try equalContent(image, disk))
        let second = try streamBytes(image, to)
        try image.close()
        #expect(try equalContent(readBack(second, StreamFormat(to), piece: 100_003), disk))
    }

    @Test("qemu-img finds our streams correct and equal (case 2.20)", arguments: variants)
    func qemuImgAccepts(_ variant: Variant) throws {
        var random = SeededRandom.printed("\(#function) \(variant.testDescription)")
        let folder = try ScratchFolder("stream")
        let disk = try randomDisk(size: 512 * 17_001, pieces: 12, longest: 400_000, random: &random)
        try Data(disk.bytes(at: 0, count: Int(disk.size))).write(to: URL(fileURLWithPath: folder.file("model")))
        let bytes = try streamBytes(disk, variant.format, variant.write)
        try Data(bytes).write(to: URL(fileURLWithPath: folder.file("image")))
        try Tool.check(
            "qemu-img", ["compare", "-f", "raw", "-F", variant.qemuName, folder.file("model"), folder.file("image")])
        if variant.format == .qcow2 {
            // No leaks and no errors: every cluster of the file counts once.
            let said = try Tool.check("qemu-img", ["check", "-f", "qcow2", folder.file("image")])
            #expect(said.contains("No errors were found"))
        }
        if variant.format == .vhd {
            let said = try Tool.check("vhdiinfo", [folder.file("image")])
            #expect(said.contains("\(disk.size) bytes"))
            // Our own reader of files believes footers, table and map, and may write.
            let device = try DiskImage.open(path: folder.file("image"), format: .vhd, readOnly: false)
            #expect(try equalContent(device, disk))
            try device.store([1, 2, 3], at: disk.size - 3)
            try device.close()
            try Tool.check("qemu-img", ["info", "-f", "vpc", folder.file("image")])
        }
    }

    @Test("blocks of a VHD stream ascend on page boundaries between equal footers (case 2.20)")
    func blocksOfAVHDStreamAscendOnPageBoundariesBetweenEqualFooters() throws {
        let disk = MemoryDevice(size: 40 << 20)
        for block in [17, 3, 0, 9] { try disk.store([7], at: UInt64(block) << 21) }
        let bytes = try streamBytes(disk, .vhd)
        #expect(bytes.prefix(512) == bytes.suffix(512))
        let table = BigEndianBytes(Array(bytes[1536..<2048]))
        let starts = [0, 3, 9, 17].map { Int(table.u32($0 * 4)) * 512 }
        #expect(starts == starts.sorted() && starts.allSatisfy { ($0 + 512) % 4096 == 0 })
        #expect(starts.allSatisfy { bytes[$0 + 512] == 7 } && bytes.count == (starts.last ?? 0) + 512 + (2 << 20) + 512)
    }

    @Test func aStreamOfADiskOf16TiBIsPlannedQuicklyInLittleMemory() throws {
        let disk = ScatteredDisk(size: 16 << 40, spacing: 16 << 20, length: 65536)
        let plan = try StreamPlan(of: disk, as: .qcow2)
        // 1 Mi clusters of data, an L2 table of 64 KiB for each 512 MiB of the disk, and little more.
        #expect(plan.length > (1 << 20) * 65536 + 32768 * 65536)
        #expect(plan.length < ((1 << 20) + 32768 + 100) * 65536)
        let vhd = ScatteredDisk(size: FormatCapabilities.largestVHD, spacing: 2 << 20, length: 512)
        #expect(try StreamPlan(of: vhd, as: .vhd).length > (1_044_480 * (2 << 20 + 4096)))
        #expect(
            code { _ = try StreamPlan(of: MemoryDevice(size: FormatCapabilities.largestVHD + 512), as: .vhd) }
                == .limitExceeded)
        // More scattered units than a plan may remember.
        let worst = ScatteredDisk(size: 1 << 50, spacing: 1 << 31, length: 512)
        #expect(code { _ = try StreamPlan(of: worst, as: .qcow2) } == .limitExceeded)
    }

    @Test func optionsThatAStreamCannotHaveAreRefused() throws {
        let disk = MemoryDevice(size: 1 << 20)
        var options = [CreateOptions](repeating: CreateOptions(), count: 5)
        options[0].preallocation = .full
        options[1].qcow2Version = 2
        options[2].extendedL2 = true
        options[3].dataFile = "d"
        options[4].parent = CreateOptions.Parent(name: "p", format: .raw)
        for image in options {
            #expect(
                code { _ = try StreamPlan(of: disk, as: .qcow2, options: StreamWriteOptions(image: image)) }
                    == .unsupported)
        }
    }

    @Test func aReaderThatGoesAwayIsAnErrorAndNoSignal() throws {
        let disk = MemoryDevice(size: 64 << 20)
        let pipe = StreamPipe { (sink) throws(BlockError) in
            try DiskImage.writeStream(of: disk, as: .raw, to: sink)
        }
        try pipe.closeReader()
        #expect(code { try pipe.finish() } == .disconnected)
    }

    @Test func aStreamCanBeCancelledAtBothEnds() throws {
        let flag = CancellationFlag()
        flag.cancel()
        let disk = MemoryDevice(content: [UInt8](repeating: 1, count: 8 << 20))
        #expect(
            code { try DiskImage.writeStream(of: disk, as: .raw, to: CountingSink(), cancellation: flag) } == .cancelled
        )
        for format in ImageFormat.allCases {
            let bytes = try streamBytes(disk, format)
            let copy = MemoryDevice(size: disk.size)
            #expect(
                code {
                    try DiskImage.readStream(
                        from: ArraySource(bytes), as: StreamFormat(format), into: .device(copy, isFresh: true),
                        cancellation: flag)
                } == .cancelled)
        }
    }
}

/// A disk whose extent map has a short piece of data every so often; all data are ones.
final class ScatteredDisk: BlockDevice {
    let size: UInt64
    let isReadOnly = true
    let preferredAlignment: UInt64 = 65536
    private let spacing: UInt64
    private let length: UInt64

    init(size: UInt64, spacing: UInt64, length: UInt64) {
        self.size = size
        self.spacing = spacing
        self.length = length
    }

    func appendExtents(to extents: inout [Extent], at offset: UInt64, length wanted: UInt64) throws(BlockError) {
        var position = offset
        while position < offset + wanted {
            let within = position % spacing
            let isData = within < length
            let end = min(position - within + (isData ? length : spacing), offset + wanted)
            extents.append(Extent(offset: position, length: end - position, kind: isData ? .data : .hole))
            position = end
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(BlockError) {
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0)
        for index in 0..<buffer.count where (offset + UInt64(index)) % spacing < length { unsafe buffer[index] = 1 }
    }

    func write(_ data: UnsafeRawBufferPointer, at offset: UInt64) throws(BlockError) {}
    func writeZeroes(at offset: UInt64, length: UInt64, mayUnmap: Bool) throws(BlockError) {}
    func discard(at offset: UInt64, length: UInt64) throws(BlockError) {}
    func flush() throws(BlockError) {}
    func close() throws(BlockError) {}
}
