import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

@Suite struct RawSizeTests {
    private func options(_ preallocation: CreateOptions.Preallocation) -> CreateOptions {
        var options = CreateOptions()
        options.preallocation = preallocation
        return options
    }

    @Test(arguments: [CreateOptions.Preallocation.off, .falloc, .full])
    func preallocationTakesTheSpaceItSays(_ preallocation: CreateOptions.Preallocation) throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        try DiskImage.create(path: path, format: .raw, size: 1_000_001, options: options(preallocation)).close()
        var info = try DiskImage.info(path: path, format: .raw)
        #expect(info.virtualSize == 1_000_448 && info.fileSize == 1_000_448)
        #expect(preallocation == .off ? info.actualSize < 100_000 : info.actualSize >= 1_000_448)
        try DiskImage.resize(path: path, format: .raw, to: 3_000_001, preallocation: preallocation)
        info = try DiskImage.info(path: path, format: .raw)
        #expect(info.virtualSize == 3_000_320)
        #expect(preallocation == .off ? info.actualSize < 100_000 : info.actualSize >= 3_000_320)
        let device = try DiskImage.open(path: path, format: .raw, readOnly: true)
        #expect(try device.bytes(at: 0, count: 3_000_320).allSatisfy { $0 == 0 })
        try device.close()
    }

    @Test func metadataPreallocationIsRefused() throws {
        let folder = try ScratchFolder("raw")
        #expect(
            code {
                _ = try DiskImage.create(path: folder.file("a"), format: .raw, size: 512, options: options(.metadata))
            }
                == .unsupported)
        #expect(try folder.contents().isEmpty)
    }

    /// Case 1.1 for raw, and sizes around sectors (1.2).
    @Test func _1_1_aDiskOfNoBytesGrowsAndShrinks() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        try DiskImage.create(path: path, format: .raw, size: 0).close()
        for size: UInt64 in [1, 511, 512, 513, 65_537, 0] {
            try DiskImage.resize(path: path, format: .raw, to: size, shrink: true)
            #expect(try DiskImage.info(path: path, format: .raw).virtualSize == (size + 511) / 512 * 512)
            var policy = OpenPolicy()
            policy.refusesForeignMarks = true
            let device = try DiskImage.open(path: path, format: .raw, readOnly: false, policy: policy)
            #expect(device.size == (size + 511) / 512 * 512)
            #expect(code { try device.store([1], at: device.size) } == .outOfRange)
            if device.size > 0 { try device.store([0], at: device.size - 1) }
            try device.close()
        }
    }

    @Test func _1_4_resizingHealsAPartialLastSector() throws {
        let folder = try ScratchFolder("raw")
        let path = folder.file("a")
        try save(path, [UInt8](repeating: 3, count: 65_537))
        try DiskImage.resize(path: path, format: .raw, to: 100_000)
        let bytes = try content(path)
        #expect(bytes.count == 100_352 && bytes[65_536] == 3 && bytes[65_537...].allSatisfy { $0 == 0 })
        #expect(code { try DiskImage.resize(path: path, format: .raw, to: 512) } == .denied)
        try DiskImage.resize(path: path, format: .raw, to: 512, shrink: true)
        #expect(try content(path) == [UInt8](repeating: 3, count: 512))
        #expect(code { try DiskImage.resize(path: path, format: .raw, to: .max) } == .limitExceeded)
    }
}
