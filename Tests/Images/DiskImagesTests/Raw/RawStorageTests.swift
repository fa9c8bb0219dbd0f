import BlockIO
import CoreTypes
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DiskImages

/// Raw images on what lies below them: file systems that can do little, full ones, block devices.
@Suite struct RawStorageTests {
    @Test(arguments: ["ramfs", "tmpfs"])
    func _1_13_fileSystemsWithoutHolesOrZeroRangesServe(_ kind: String) throws {
        var random = SeededRandom.printed(kind)
        let folder = try ScratchFolder("raw")
        let mount = try ScratchMount(kind, in: folder)
        for (format, name) in [(ImageFormat.raw, "a"), (.vhd, "b"), (.qcow2, "c")] {
            let device = try DiskImage.create(path: mount.file(name), format: format, size: 3 << 20)
            let comparison = ModelComparison(device, hotspots: [0, 65536, 1 << 20, device.size - 1], longest: 100_000)
            try comparison.run(60, random: &random)
            try device.close()
            let again = try DiskImage.open(path: mount.file(name), format: format, readOnly: true)
            try comparison.compare(again)
            try again.close()
        }
    }

    @Test(arguments: [CreateOptions.Preallocation.off, .falloc, .full])
    func _1_13_aFullFileSystemIsReportedAndTheImageStaysGood(_ preallocation: CreateOptions.Preallocation) throws {
        let folder = try ScratchFolder("raw")
        let mount = try ScratchMount("tmpfs", size: "2m", in: folder)
        var options = CreateOptions()
        options.preallocation = preallocation
        let path = mount.file("a")
        if preallocation != .off {
            #expect(
                code { _ = try DiskImage.create(path: path, format: .raw, size: 4 << 20, options: options) } == .noSpace
            )
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        let device = try DiskImage.create(path: path, format: .raw, size: 4 << 20)
        try device.store([UInt8](repeating: 7, count: 1 << 20), at: 0)
        #expect(code { try device.store([UInt8](repeating: 8, count: 3 << 20), at: 1 << 20) } == .noSpace)
        #expect(try device.bytes(at: 0, count: 1 << 20).allSatisfy { $0 == 7 })
        try device.discard(at: 1 << 20, length: 3 << 20)
        try device.store([9], at: 3 << 20)
        try device.close()
        if preallocation == .off { return }
        #expect(
            code { try DiskImage.resize(path: path, format: .raw, to: 8 << 20, preallocation: preallocation) }
                == .noSpace)
        #expect(try DiskImage.info(path: path, format: .raw).virtualSize == 4 << 20)
    }

    @Test(arguments: [512, 4096])
    func blockDevicesAreReadWrittenZeroedAndKeepTheirSize(_ sectorSize: Int) throws {
        var random = SeededRandom.printed("\(#function) \(sectorSize)")
        let folder = try ScratchFolder("raw")
        let loop = try LoopDevice(size: 4 << 20, sectorSize: sectorSize, in: folder)
        let device = try DiskImage.open(path: loop.path, format: .raw, readOnly: false)
        #expect(device.size == 4 << 20)
        let comparison = ModelComparison(device, hotspots: [0, 65536, device.size - 1])
        // Requests finer than the device's sectors, zeroes and discards among them.
        try comparison.run(100, random: &random)
        try device.store([UInt8](repeating: 1, count: 1 << 20), at: 1 << 20)
        for mayUnmap in [true, false] {
            try device.store([UInt8](repeating: 1, count: 100_000), at: 1 << 20)
            try device.writeZeroes(at: (1 << 20) + 700, length: 90_001, mayUnmap: mayUnmap)
            let bytes = try device.bytes(at: 1 << 20, count: 100_000)
            #expect(bytes[..<700].allSatisfy { $0 == 1 } && bytes[90_701...].allSatisfy { $0 == 1 })
            #expect(bytes[700..<90_701].allSatisfy { $0 == 0 })
        }
        try device.flush()
        #expect(code { try (device as? any ResizableDevice)?.resize(to: 8 << 20, preallocation: .off) } == .unsupported)
        #expect(code { try device.store([1], at: 4 << 20) } == .outOfRange)
        let expected = try device.bytes(at: 0, count: 4 << 20)
        try device.close()
        let again = try DiskImage.open(path: loop.path, format: .raw, readOnly: true)
        #expect(try again.bytes(at: 0, count: 4 << 20) == expected)
        #expect(try again.extents(at: 0, length: 4 << 20).map(\.length).reduce(0, +) == 4 << 20)
        try again.close()
    }

    @Test func _1_12_concurrentWritesInOneSectorOf4KiBLoseNothing() throws {
        let folder = try ScratchFolder("raw")
        let loop = try LoopDevice(size: 1 << 20, sectorSize: 4096, in: folder)
        let device = try DiskImage.open(path: loop.path, format: .raw, readOnly: false)
        (device as? any BulkDestination)?.bypassCache()
        let failures = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 1...40 {
                for page in 0..<8 {
                    do {
                        try device.store(
                            [UInt8](repeating: UInt8(thread * 30 + round % 30), count: 512),
                            at: UInt64(page * 4096 + thread * 512))
                    } catch { failures.withLock { $0 += 1 } }
                }
            }
        }
        #expect(failures.withLock { $0 } == 0)
        for thread in 0..<8 {
            for page in 0..<8 {
                let bytes = try device.bytes(at: UInt64(page * 4096 + thread * 512), count: 512)
                #expect(bytes.allSatisfy { $0 == UInt8(thread * 30 + 10) })
            }
        }
        try device.close()
    }

    /// The kernel moves less than 2 GiB in one call. The buffer is one small piece of memory, seen a thousand times.
    @Test func _1_11_requestsOfMoreThanTwoGiBAreServed() throws {
        let folder = try ScratchFolder("raw")
        let device = try DiskImage.create(path: folder.file("a"), format: .raw, size: 5 << 30)
        let piece = 4 << 20
        let count = (2 << 30) + piece
        let memory = try #require(RepeatedMemory(piece: piece, count: count, file: folder.file("piece")))
        unsafe memory.bytes[5] = 0x77
        let offset: UInt64 = 1 << 30
        try unsafe device.write(UnsafeRawBufferPointer(memory.bytes), at: offset)
        for at in [0, piece, (2 << 30) - piece, 2 << 30] {
            #expect(try device.bytes(at: offset + UInt64(at), count: 8) == [0, 0, 0, 0, 0, 0x77, 0, 0])
        }
        #expect(try device.bytes(at: offset + UInt64(count), count: 8).allSatisfy { $0 == 0 })
        try device.store([0x55], at: offset + UInt64(count) - UInt64(piece) + 6)
        try unsafe device.read(into: memory.bytes, at: offset)
        #expect(unsafe memory.bytes[5] == 0x77 && memory.bytes[6] == 0x55)
        try device.close()
    }
}

/// Many views of one piece of memory, one behind the other.
@safe
private final class RepeatedMemory {
    // SAFETY: mapped in init, unmapped in deinit, `bytes.count` long.
    let bytes: UnsafeMutableRawBufferPointer

    init?(piece: Int, count: Int, file path: String) {
        let file = unsafe open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
        defer { close(file) }
        guard file >= 0, ftruncate(file, piece) == 0,
            let base = unsafe mmap(nil, count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            unsafe base != MAP_FAILED
        else { return nil }
        unsafe bytes = UnsafeMutableRawBufferPointer(start: base, count: count)
        for offset in stride(from: 0, to: count, by: piece) {
            let view = unsafe mmap(base + offset, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0)
            if unsafe view == MAP_FAILED { return nil }
        }
    }

    deinit { unsafe munmap(bytes.baseAddress, bytes.count) }
}
