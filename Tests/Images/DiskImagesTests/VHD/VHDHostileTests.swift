import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Damaged files open or throw; they never trap, and read-only opening never writes.
@Suite struct VHDHostileTests {
    private func sample(_ folder: ScratchFolder, _ random: inout SeededRandom) throws -> [UInt8] {
        let path = folder.file("sample.vhd")
        let file = try ImageFile(path: path, access: .create)
        let footer = VHDFooter(new: .dynamic, size: 200_704)
        let header = VHDHeader(tableOffset: 1536, entryCount: 49, blockSize: 4096)
        var batmap = VHDBatmap(new: header, virtualSize: 200_704)
        try file.write(bytes: [UInt8](repeating: 0xFF, count: 512), at: 1536)
        try batmap.store([], file: file)
        try file.write(bytes: header.encoded(), at: 512)
        try file.write(bytes: footer.bytes, at: 0)
        file.close()
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        for block in [3, 0, 48] { try device.store(random.bytes(4096), at: UInt64(block) * 4096) }
        try device.close()
        return try content(path)
    }

    /// Opens, reads everything, writes a little when it can; any error will do.
    private func exercise(_ path: String, _ bytes: [UInt8]) throws {
        try replace(path, bytes)
        _ = try? DiskImage.info(path: path, format: .vhd)
        if let device = try? DiskImage.open(path: path, format: .vhd, readOnly: true) {
            try? readAll(device)
            try? device.close()
            #expect(try content(path) == bytes)
        }
        if let device = try? DiskImage.open(path: path, format: .vhd, readOnly: false) {
            try? device.store([1, 2, 3], at: device.size / 2)
            try? device.writeZeroes(at: 0, length: min(device.size, 8192), mayUnmap: true)
            try? readAll(device)
            try? device.close()
        }
    }

    private func readAll(_ device: any BlockDevice) throws {
        for extent in try device.extents(at: 0, length: device.size) where extent.kind == .data {
            _ = try device.bytes(at: extent.offset, count: Int(min(extent.length, 1 << 20)))
        }
    }

    @Test func truncatedFilesNeverTrap() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd")
        let bytes = try sample(folder, &random)
        let path = folder.file("cut.vhd")
        try ImageFile(path: path, access: .create).close()
        for length in Array(stride(from: 0, through: bytes.count, by: 512)) + [1, 510, 511, 513, 1535, 1537] {
            try exercise(path, Array(bytes[..<length]))
        }
    }

    @Test func mutatedFieldsNeverTrap() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd")
        let bytes = try sample(folder, &random)
        let path = folder.file("bad.vhd")
        try ImageFile(path: path, access: .create).close()
        let values: [UInt32] = [0, 1, 0x1FF, 0x200, 0x1000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, .max]
        let fields =
            Array(stride(from: 8, to: 96, by: 4)) + Array(stride(from: 512, to: 560, by: 4))
            + [1536, 1548, 1728] + Array(stride(from: 2048, to: 2080, by: 4))
        for field in fields {
            for value in values + [UInt32.random(in: 0...UInt32.max, using: &random)] {
                var changed = bytes
                changed.replaceBigEndian(at: field, with: value)
                if Bool.random(using: &random) && field < 512 {
                    changed.replaceBigEndian(at: bytes.count - 512 + field, with: value)
                }
                // Valid checksums, so that the values behind them are met.
                for start in [0, bytes.count - 512] where field != 64 {
                    var footer = Array(changed[start..<start + 512])
                    footer.replaceBigEndian(at: 64, with: VHDFooter.checksum(footer))
                    changed.replaceSubrange(start..<start + 512, with: footer)
                }
                if field != 548 {
                    var header = Array(changed[512..<1536])
                    header.replaceBigEndian(at: 36, with: VHDFooter.checksum(header, field: 36))
                    changed.replaceSubrange(512..<1536, with: header)
                }
                try exercise(path, changed)
            }
        }
    }
}
