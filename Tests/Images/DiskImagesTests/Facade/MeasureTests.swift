import BlockIO
import CoreTypes
import DiskImages
import Foundation
import TestSupport
import Testing

@Suite struct MeasureTests {
    private struct Said: Decodable, Equatable {
        let required: UInt64
        let full: UInt64

        enum CodingKeys: String, CodingKey {
            case required
            case full = "fully-allocated"
        }
    }

    private func qemu(_ arguments: [String]) throws -> Said {
        let text = try Tool.check("qemu-img", ["measure", "--output=json", "-O", "qcow2"] + arguments)
        return try JSONDecoder().decode(Said.self, from: Data(text.utf8))
    }

    @Test(
        "counts the tables of qcow2 as qemu does (case 6.10)",
        arguments: [512, 4096, 65536, 2 << 20] as [UInt64], [(1, false), (16, false), (64, true)])
    func countsTheTablesOfQCOW2AsQemuDoes(_ cluster: UInt64, _ how: (bits: Int, extended: Bool)) throws {
        if how.extended && cluster < 16384 { return }
        var options = CreateOptions(clusterSize: cluster)
        options.refcountBits = how.bits
        options.extendedL2 = how.extended
        let words = "cluster_size=\(cluster),refcount_bits=\(how.bits),extended_l2=\(how.extended ? "on" : "off")"
        for size in [512, 65536, 1 << 30, (1 << 30) + 512, 100 << 30] as [UInt64] {
            let ours = try DiskImage.measure(size: size, as: .qcow2, options: options)
            let theirs = try qemu(["--size", String(size), "-o", words])
            #expect(Said(required: ours.required, full: ours.fullyAllocated) == theirs, "\(size) bytes, \(words)")
        }
    }

    @Test(
        "what is reserved is measured (case 6.10)", arguments: [ImageFormat.vhd, .qcow2],
        [CreateOptions.Preallocation.falloc, .full])
    func whatIsReservedIsMeasured(_ format: ImageFormat, _ preallocation: CreateOptions.Preallocation) throws {
        let folder = try ScratchFolder("measure-reserved")
        var options = CreateOptions()
        options.preallocation = preallocation
        let measured = try DiskImage.measure(size: 8 << 20, as: format, options: options)
        try DiskImage.create(path: folder.file("a"), format: format, size: 8 << 20, options: options).close()
        let length = try DiskImage.info(path: folder.file("a"), format: format).fileSize
        #expect(measured.required == measured.fullyAllocated)
        #expect(length <= measured.required && measured.required - length < 65536, "\(length) \(measured)")
        if format == .qcow2 {
            let theirs = try qemu(["--size", "8M", "-o", "preallocation=\(preallocation.rawValue)"])
            #expect(Said(required: measured.required, full: measured.fullyAllocated) == theirs)
            options.dataFile = "data"
            let apart = try DiskImage.measure(size: 8 << 20, as: .qcow2, options: options)
            #expect(apart.required < 1 << 20)
        }
    }

    @Test("a copy is as long as measured (case 6.10)", arguments: [ImageFormat.raw, .vhd, .qcow2])
    func aCopyIsAsLongAsMeasured(_ format: ImageFormat) throws {
        let folder = try ScratchFolder("measure")
        let source = try DiskImage.create(path: folder.file("raw"), format: .raw, size: 64 << 20)
        for offset in [0, 65536, 1 << 20, 9 << 20, 10 << 20, 50 << 20] as [UInt64] {
            try source.store([UInt8](repeating: 7, count: 65536), at: offset)
        }
        let measured = try DiskImage.measure(source: source, as: format)
        try source.close()
        if format == .qcow2 {
            let theirs = try qemu(["-f", "raw", folder.file("raw")])
            #expect(Said(required: measured.required, full: measured.fullyAllocated) == theirs)
        }
        let copy = try DiskImage.create(path: folder.file("copy"), format: format, size: 64 << 20)
        for offset in [0, 65536, 1 << 20, 9 << 20, 10 << 20, 50 << 20] as [UInt64] {
            try copy.store([UInt8](repeating: 7, count: 65536), at: offset)
        }
        try copy.close()
        let length = try DiskImage.info(path: folder.file("copy"), format: format).fileSize
        #expect(length <= measured.required)
        #expect(measured.required <= measured.fullyAllocated)
        if format != .qcow2 { #expect(length == measured.required) }
    }

    @Test("tables for a later size are measured (case 6.10)")
    func tablesForALaterSizeAreMeasured() throws {
        let folder = try ScratchFolder("measure-later")
        var options = CreateOptions()
        options.largestSize = 200 << 30
        let measured = try DiskImage.measure(size: 64 << 20, as: .vhd, options: options)
        let device = try DiskImage.create(path: folder.file("a"), format: .vhd, size: 64 << 20, options: options)
        func length() throws -> UInt64 { try DiskImage.info(path: folder.file("a"), format: .vhd).fileSize }
        #expect(try length() == measured.required)
        for block in 0..<32 as Range<UInt64> { try device.store([1], at: block << 21) }
        try device.close()
        #expect(try length() == measured.fullyAllocated)
        options.largestSize = 3 << 40
        #expect(code { _ = try DiskImage.measure(size: 1 << 20, as: .vhd, options: options) } == .limitExceeded)
    }

    @Test func refusesASizeThatTheFormatCannotHold() {
        let failure = #expect(throws: BlockError.self) { try DiskImage.measure(size: 3 << 40, as: .vhd) }
        #expect(failure?.code == .limitExceeded)
    }

    @Test("an image that cannot be made is not measured (cases 1.7, 6.10)")
    func anImageThatCannotBeMadeIsNotMeasured() throws {
        let folder = try ScratchFolder("measure-refused")
        for (words, size, expected) in [
            ("extended_l2=on", 1500 << 40, .limitExceeded), ("extended_l2=on,cluster_size=4k", 1 << 20, .unsupported),
            ("compat=0.10,refcount_bits=8", 1 << 20, .unsupported), ("data_file_raw=on", 1 << 20, .unsupported),
            ("cluster_size=512", (128 << 30) + 512, .limitExceeded),
        ] as [(String, UInt64, BlockError.Code)] {
            let options = try CreateOptions(parsing: words)
            let made = code {
                _ = try DiskImage.create(path: folder.file("a"), format: .qcow2, size: size, options: options)
            }
            let measured = code { _ = try DiskImage.measure(size: size, as: .qcow2, options: options) }
            #expect(made == expected && measured == expected, "\(words)")
        }
        for (format, words) in [
            (.vhd, "subformat=fixed,max_size=20G"), (.vhd, "subformat=fixed,backing_file=b,backing_fmt=raw"),
            (.vhd, "preallocation=full,backing_file=b,backing_fmt=raw"), (.vhd, "backing_file=b,backing_fmt=vmdk"),
            (.raw, "preallocation=metadata"), (.raw, "backing_file=b,backing_fmt=raw"),
        ] as [(ImageFormat, String)] {
            try save(folder.file("b"), [UInt8](repeating: 0, count: 4096))
            let options = try CreateOptions(parsing: words)
            let made = code {
                _ = try DiskImage.create(path: folder.file("a"), format: format, size: 1 << 20, options: options)
            }
            let measured = code { _ = try DiskImage.measure(size: 1 << 20, as: format, options: options) }
            #expect(made == .unsupported && measured == .unsupported, "\(format) \(words)")
        }
        var extended = CreateOptions()
        extended.extendedL2 = true
        #expect(try DiskImage.measure(size: 1 << 50, as: .qcow2, options: extended).fullyAllocated > 1 << 50)
    }
}
