import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

@Suite struct VHDPropertyTests {
    /// Cases 1.3, 1.9 and 1.10.
    @Test(
        arguments: [
            (7 << 20, CreateOptions.VHDSubformat.dynamic), (4 << 20, .dynamic), ((9 << 20) + 512 * 37, .dynamic),
            (512, .dynamic), ((3 << 20) + 512 * 5, .fixed), (512, .fixed),
        ] as [(UInt64, CreateOptions.VHDSubformat)])
    func randomRequestsAgreeWithTheModelAndWithQEMU(size: UInt64, subformat: CreateOptions.VHDSubformat) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let options = CreateOptions(vhdSubformat: subformat)
        let device = try DiskImage.create(path: path, format: .vhd, size: size, options: options)
        #expect(device.size == size)
        let spots: [UInt64] = [0, 2 << 20, 4 << 20, 6 << 20, size - 512]
        let first = ModelComparison(device, hotspots: spots)
        try first.run(120, random: &random)
        try device.close()
        #expect(code { try device.flush() } != nil)

        let again = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        let second = ModelComparison(again, model: first.model, hotspots: spots)
        try second.compare()
        try second.run(60, random: &random)
        try again.close()

        let info = try DiskImage.info(path: path, format: .vhd)
        #expect(info.virtualSize == size && info.notes.isEmpty && info.subformat == subformat.rawValue)
        let raw = folder.file("a.raw")
        try Tool.check("qemu-img", ["convert", "-f", "vpc", "-O", "raw", path, raw])
        let converted = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        try second.compare(converted)
        try converted.close()
        try Tool.check("qemu-img", ["compare", "-f", "vpc", "-F", "raw", path, raw])
        let report = try Tool.check("vhdiinfo", [path])
        #expect(report.contains("(\(size) bytes)"), "\(report)")
    }

    @Test(arguments: ["dynamic", "fixed"], [true, false])
    func imagesWrittenByQEMUAreReadByteForByte(subformat: String, force: Bool) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd")
        let raw = folder.file("a.raw")
        let path = folder.file("a.vhd")
        let size = 512 * UInt64.random(in: 9000...13000, using: &random)
        let source = try DiskImage.create(path: raw, format: .raw, size: size)
        for _ in 0..<6 {
            let count = Int.random(in: 1...70_000, using: &random)
            try source.store(
                random.bytes(count), at: UInt64.random(in: 0...size - UInt64(count), using: &random))
        }
        try source.close()
        let options = "subformat=\(subformat),force_size=\(force ? "on" : "off")"
        try Tool.check("qemu-img", ["convert", "-f", "raw", "-O", "vpc", "-o", options, raw, path])
        let info = try DiskImage.info(path: path, format: .vhd)
        #expect(info.subformat == subformat)
        #expect(force ? info.virtualSize == size : info.virtualSize >= size)

        // Read, then written by us behind qemu's blocks, then read by qemu again.
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        let original = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        let model = MemoryDevice(size: device.size)
        try model.store(try original.bytes(at: 0, count: Int(size)), at: 0)
        try original.close()
        let comparison = ModelComparison(device, model: model, hotspots: [0, 2 << 20, 4 << 20, device.size - 512])
        try comparison.compare()
        try comparison.run(40, random: &random)
        try device.close()
        try Tool.check("qemu-img", ["convert", "-f", "vpc", "-O", "raw", path, raw])
        let back = try DiskImage.open(path: raw, format: .raw, readOnly: true)
        try comparison.compare(back)
        try back.close()
    }

    @Test(arguments: [1 << 20, 3 << 20, 10 << 20, 1 << 30, 10 << 30, 127 << 30, 130 << 30] as [UInt64])
    func sizesAgreeWithQEMUForItsOwnImages(size: UInt64) throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        for force in ["on", "off"] {
            try Tool.check("qemu-img", ["create", "-f", "vpc", "-o", "force_size=\(force)", path, "\(size)"])
            let said = try Tool.check("qemu-img", ["info", "--output=json", path])
            let ours = try DiskImage.info(path: path, format: .vhd).virtualSize
            #expect(said.contains("\"virtual-size\": \(ours),"), "\(ours) for \(said)")
        }
    }

    /// Case 1.2.
    @Test(
        "sizes are rounded up to sectors (case 1.2)",
        arguments: [(0, 0), (1, 512), (511, 512), (512, 512), (513, 1024), (65537, 66048)] as [(UInt64, UInt64)])
    func sizesAreRoundedUpToSectors(asked: UInt64, size: UInt64) throws {
        let folder = try ScratchFolder("vhd")
        for subformat in CreateOptions.VHDSubformat.allCases {
            let path = folder.file("\(subformat)")
            let options = CreateOptions(vhdSubformat: subformat)
            let device = try DiskImage.create(path: path, format: .vhd, size: asked, options: options)
            if size > 0 { try device.store([9], at: size - 1) }
            #expect(device.size == size && code { try device.store([9], at: size) } == .outOfRange)
            try device.close()
            #expect(try DiskImage.info(path: path, format: .vhd).virtualSize == size)
        }
    }

    /// Cases 1.5 and 1.11: 4 GiB, 2³¹ sectors and the end of the largest disk; zeroes over more than 2 GiB at once.
    @Test("places far out are not cut short (cases 1.5, 1.11)")
    func placesFarOutAreNotCutShort() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let size = FormatCapabilities.largestVHD
        let device = try DiskImage.create(path: path, format: .vhd, size: size)
        let places: [UInt64] = [(4 << 30) - 3, (4 << 30) + (2 << 20) - 3, (1 << 40) - 3, size - 6]
        for (mark, place) in places.enumerated() {
            try device.store([UInt8](repeating: UInt8(mark + 1), count: 6), at: place)
        }
        for (mark, place) in places.enumerated() {
            #expect(try device.bytes(at: place, count: 6) == [UInt8](repeating: UInt8(mark + 1), count: 6))
        }
        let data = try device.extents(at: 0, length: size).filter { $0.kind == .data }
        #expect(places.allSatisfy { place in data.contains { $0.offset <= place && place + 3 < $0.end } })
        #expect(data.reduce(0) { $0 + $1.length } <= 8 * 65536)
        try device.writeZeroes(at: 3 << 30, length: 3 << 30, mayUnmap: true)
        #expect(try device.bytes(at: places[0], count: 6).allSatisfy { $0 == 0 })
        #expect(try device.bytes(at: places[2], count: 6).allSatisfy { $0 == 3 })
        try device.close()
        #expect(try DiskImage.check(path: path, format: .vhd).isClean)
    }

    @Test func manyThreadsWriteTheirOwnPartsOfSharedBlocks() throws {
        let folder = try ScratchFolder("vhd")
        let device = try DiskImage.create(path: folder.file("a.vhd"), format: .vhd, size: 32 << 20)
        let threads = (0..<6).map { number in
            WorkerThread("writer \(number)") {
                for step in 0..<256 {
                    // Interleaved sectors: all threads meet in every block.
                    let offset = UInt64(step) << 17 + UInt64(number) * 4096
                    do {
                        try device.store([UInt8](repeating: UInt8(number + 1), count: 4096), at: offset)
                        if step % 32 == number { try device.flush() }
                        let read = try device.bytes(at: offset, count: 4096)
                        #expect(read.allSatisfy { $0 == UInt8(number + 1) })
                    } catch { Issue.record(error) }
                }
            }
        }
        for thread in threads { thread.join() }
        try device.close()
        let again = try DiskImage.open(path: folder.file("a.vhd"), format: .vhd, readOnly: true)
        for step in 0..<256 {
            let read = try again.bytes(at: UInt64(step) << 17, count: 7 * 4096)
            // In one expression the compiler takes ten seconds to find the types.
            let marks = (0..<7).map { (part: Int) -> UInt8 in read[part * 4096 + 77] }
            #expect(marks == [1, 2, 3, 4, 5, 6, 0])
        }
        try again.close()
    }
}
