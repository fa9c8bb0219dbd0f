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
