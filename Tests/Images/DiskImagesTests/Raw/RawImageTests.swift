import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

@Suite struct RawImageTests {
    @Test("a partial last sector reads as zeroes and grows when written (case 1.8)")
    func aPartialLastSectorReadsAsZeroesAndGrowsWhenWritten() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        let file = try ImageFile(path: path, access: .create)
        try file.write(bytes: [UInt8](repeating: 3, count: 100_000), at: 0)
        file.close()
        let readOnly = try DiskImage.open(path: path, format: .raw, readOnly: true)
        #expect(readOnly.size == 100_352)
        let tail = try readOnly.bytes(at: 99_840, count: 512)
        #expect(tail == [UInt8](repeating: 3, count: 160) + [UInt8](repeating: 0, count: 352))
        #expect(try readOnly.extents(at: 0, length: 100_352) == [Extent(offset: 0, length: 100_352, kind: .data)])
        try readOnly.close()
        #expect(try content(path).count == 100_000)

        let device = try DiskImage.open(path: path, format: .raw, readOnly: false)
        try device.store([9], at: 0)
        #expect(try content(path).count == 100_000)
        try device.store([9], at: 99_999)
        #expect(try content(path).count == 100_352)
        try device.store([8], at: 100_351)
        try device.close()
        let bytes = try content(path)
        #expect(bytes[99_999] == 9 && bytes[100_000..<100_351].allSatisfy { $0 == 0 } && bytes[100_351] == 8)
    }

    @Test func randomRequestsAgreeWithTheModelAndTheFile() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        let device = try DiskImage.create(path: path, format: .raw, size: (5 << 20) + 512 * 3)
        let comparison = ModelComparison(device, hotspots: [0, 65536, 1 << 20, device.size - 1])
        try comparison.run(150, random: &random)
        try device.close()
        #expect(try content(path) == comparison.model.bytes(at: 0, count: Int(device.size)))
    }

    @Test func holesAreSeenAndMade() throws {
        let folder = try ScratchFolder("raw")
        let device = try DiskImage.create(path: folder.file("a"), format: .raw, size: 8 << 20)
        try device.store([UInt8](repeating: 1, count: 1 << 20), at: 2 << 20)
        let before = try DiskImage.info(path: folder.file("a"), format: .raw).actualSize
        #expect(before >= 1 << 20 && before < 2 << 20)
        let map = try device.extents(at: 0, length: 8 << 20)
        #expect(map.filter { $0.kind == .data } == [Extent(offset: 2 << 20, length: 1 << 20, kind: .data)])
        try device.writeZeroes(at: 2 << 20, length: 1 << 20, mayUnmap: true)
        #expect(try DiskImage.info(path: folder.file("a"), format: .raw).actualSize < before)
        #expect(try device.bytes(at: 2 << 20, count: 1 << 20).allSatisfy { $0 == 0 })
        try device.close()
    }

    @Test func rawStaysRawWhateverTheGuestWrites() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        let device = try DiskImage.create(path: path, format: .raw, size: 1 << 20)
        let footer = VHDFooter(new: .dynamic, size: 1 << 20).bytes
        try device.store(footer, at: 0)
        try device.store(footer, at: (1 << 20) - 512)
        try device.close()
        let again = try DiskImage.open(path: path, format: .raw, readOnly: false)
        #expect(again.size == 1 << 20 && again is RawImage)
        #expect(try again.bytes(at: 0, count: 512) == footer)
        try again.close()
    }
}
