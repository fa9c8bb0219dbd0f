import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

@Suite struct VHDCrashTests {
    /// A copy of the file while it is in use is what a crash of the process leaves. Every flush's data are in all later
    /// copies, also in those that lost the footer at the end or any unflushed block.
    @Test func copiesTakenAtAnyMomentHoldWhatWasFlushed() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let copy = folder.file("copy.vhd")
        try ImageFile(path: copy, access: .create).close()
        let device = try DiskImage.create(path: path, format: .vhd, size: 64 << 20)
        var flushed: [UInt64: UInt8] = [:]
        var written: [UInt64: UInt8] = [:]
        for step in 1...36 {
            // Each place is written once, so unflushed data never replace flushed.
            let offset = UInt64.random(in: 0..<16384, using: &random) * 4096
            if written[offset] == nil {
                try device.store([UInt8](repeating: UInt8(step), count: 4096), at: offset)
                written[offset] = UInt8(step)
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                try device.flush()
                flushed = written
            }
            var bytes = try content(path)
            switch step % 3 {
            case 0: break
            case 1: bytes.removeLast(min(512, bytes.count - 4096))
            default: bytes += random.bytes(Int.random(in: 1...9000, using: &random))
            }
            if step % 3 == 1 && written != flushed { continue }
            try replace(copy, bytes)
            let readOnly = step % 2 == 0
            let opened = try DiskImage.open(path: copy, format: .vhd, readOnly: readOnly)
            for (offset, value) in flushed {
                #expect(try opened.bytes(at: offset, count: 4096).allSatisfy { $0 == value })
            }
            for (offset, value) in written where flushed[offset] == nil {
                let read = try opened.bytes(at: offset, count: 4096)
                #expect(read.allSatisfy { $0 == value } || read.allSatisfy { $0 == 0 })
            }
            if !readOnly {
                // New blocks show nothing of what the crash left behind.
                if let free = try opened.extents(at: 0, length: 64 << 20).first(where: { $0.kind == .hole }) {
                    try opened.store([1], at: free.offset)
                    let block = try opened.bytes(at: free.offset, count: 2 << 20)
                    #expect(block[0] == 1 && block[1...].allSatisfy { $0 == 0 })
                }
            }
            try opened.close()
            if !readOnly { try Tool.check("qemu-img", ["info", "-f", "vpc", copy]) }
        }
        try device.close()
    }

    /// What ends a file that lost its footer must not be of the guest's choosing: it could make the image a fixed one,
    /// whose content is all of the file.
    @Test("a guest's sector never stands where the footer belongs (cases 2.8, 2.21)")
    func guestsCannotForgeTheFooterOfAKilledProcess() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let copy = folder.file("copy.vhd")
        try ImageFile(path: copy, access: .create).close()
        let device = try DiskImage.create(path: path, format: .vhd, size: 8 << 20)
        try device.store([1], at: 0)
        // Where the second block's last sector will be.
        let firstEnd = try #require(device as? DynamicVHD).end
        let place = firstEnd + 4096 + (2 << 20) - 512
        try device.store(VHDFooter(new: .fixed, size: place).bytes, at: (4 << 20) - 512)
        try replace(copy, content(path))
        let opened = try DiskImage.open(path: copy, format: .vhd, readOnly: true)
        #expect(opened is DynamicVHD && opened.size == 8 << 20)
        try opened.close()
        try device.close()

        // The same for a block that is flushed, when the footer behind it is lost: from the next change on it is back.
        var bytes = try content(path)
        bytes.removeLast(512)
        bytes += [UInt8](repeating: 1, count: 5000)
        try replace(copy, bytes)
        let again = try DiskImage.open(path: copy, format: .vhd, readOnly: false)
        try again.store([2], at: 0)
        #expect(try VHDFooter(Array(content(copy).suffix(512)))?.kind == .dynamic)
        try again.close()
    }

    @Test func nothingOfAnUnflushedBlockIsInTheTable() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let device = try DiskImage.create(path: path, format: .vhd, size: 8 << 20)
        try device.store([1, 2, 3], at: 3 << 20)
        #expect(try BigEndianBytes(content(path)).u32(1540) == .max)
        try device.flush()
        let bytes = try content(path)
        #expect(BigEndianBytes(bytes).u32(1540) != .max && bytes[..<512] == bytes[(bytes.count - 512)...])
        try device.close()
    }
}
