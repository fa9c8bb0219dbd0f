import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Entries of the block table that name no possible place are dropped by a repair (cases 2.6 and 2.9).
@Suite struct VHDWrongEntriesTests {
    private func check(_ store: StoreInMemory, _ repair: RepairChoice? = nil) throws -> CheckReport {
        try VHDImage.check(file: store, repair: repair, cancellation: CancellationFlag())
    }

    private func opened(_ store: StoreInMemory) throws -> any BlockDevice {
        try VHDImage.open(
            file: store, readOnly: store.isReadOnly, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
    }

    /// A differencing image of 300 blocks of 4 KiB, seven of them there and full, in three sectors of the table.
    private static let blocks = [0, 2, 5, 127, 128, 200, 299]
    private func sample() throws -> StoreInMemory {
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        try VHDImage.make(file: store, size: 300 * 4096, blockSize: 4096, parent: parent)
        let device = try opened(store)
        for block in Self.blocks {
            try device.store([UInt8](repeating: UInt8(block & 63 + 1), count: 4096), block * 4096)
        }
        try device.close()
        return store
    }

    private func entry(_ store: StoreInMemory, _ block: Int) throws -> UInt32 {
        BigEndianBytes(try store.array(at: 1536 + UInt64(block) * 4, count: 4)).u32(0)
    }

    private func set(_ store: StoreInMemory, _ block: Int, _ value: UInt32) throws {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(value)
        try store.store(bytes, at: 1536 + UInt64(block) * 4)
    }

    @Test("wrong entries are dropped, and only they")
    func wrongEntriesAreDropped() throws {
        let store = try sample()
        for (block, value) in [(2, 3), (128, 0xFFFF_FFFE), (200, 0), (250, 77_777)] as [(Int, UInt32)] {
            try set(store, block, value)
        }
        let damaged = store.bytes
        for repair in [nil, .leaks] as [RepairChoice?] {
            let found = try check(store, repair)
            #expect(found.corruptions == 4 && found.corruptionsRepaired == 0 && store.bytes == damaged)
        }
        store.recording = true
        let repaired = try check(store, .all)
        store.recording = false
        #expect(repaired.corruptions == 0 && repaired.corruptionsRepaired == 4, "\(repaired.findings)")
        #expect(repaired.findings.contains { $0.message.hasPrefix("4 entries were dropped") })
        // Nothing but the entries, and the map that called the blocks full; what lost its name is there still.
        var expected = damaged
        for block in [2, 128, 200, 250] { for byte in 0..<4 { expected[1536 + block * 4 + byte] = 0xFF } }
        let map = 1536 + 3 * 512..<1536 + 5 * 512
        expected.replaceSubrange(map, with: store.bytes[map])
        #expect(store.bytes == expected)
        let rest = disk(without: [2, 128, 200, 250])
        #expect(try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 300 * 4096) == rest)

        // A crash at any event leaves the right blocks, no block full that is not there, and what remains to be repaired.
        var random = SeededRandom.printed()
        for cut in 0...store.events.count {
            for _ in 0..<4 {
                let after = StoreInMemory(StoreInMemory.crashed(damaged, store.events[..<cut], &random))
                let again = try check(after, .all)
                #expect(again.corruptions == 0, "after event \(cut): \(again.findings)")
                #expect(try opened(after).bytes(0, 300 * 4096) == rest)
            }
        }
        // What they named is given back by the next repair, and new blocks are not called full by an old bit.
        #expect(try check(store).leaks > 0)
        let given = try check(store, .leaks)
        #expect(given.isClean, "\(given.findings)")
        let device = try opened(store)
        try device.store([7], 128 * 4096 + 1000)
        try device.close()
        let after = try opened(StoreInMemory(store.bytes, readOnly: true))
        #expect(try after.bytes(128 * 4096, 512) == [UInt8](repeating: 0, count: 512))
        #expect(try check(store).isClean)
    }

    /// A checksum that is put right in the same run moves no end: the last block may have lost its name alone.
    @Test func nothingIsCutOffWithTheEntries() throws {
        let store = try sample()
        let last = try #require(try Self.blocks.max { try entry(store, $0) < entry(store, $1) })
        try set(store, last, 0xFFFF_0000)
        // The header's own sum.
        try store.store([0, 0, 0, 0], at: 512 + 36)
        let length = store.bytes.count
        let repaired = try check(store, .all)
        #expect(repaired.corruptions == 0 && repaired.corruptionsRepaired == 2, "\(repaired.findings)")
        #expect(store.bytes.count == length)
        #expect(try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 300 * 4096) == disk(without: [last]))
    }

    private func disk(without lost: Set<Int>) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 300 * 4096)
        for block in Self.blocks where !lost.contains(block) {
            for byte in 0..<4096 { bytes[block * 4096 + byte] = UInt8(block & 63 + 1) }
        }
        return bytes
    }

    @Test("entries that lie over each other stay, also beside one that is dropped")
    func entriesOverEachOtherStay() throws {
        let store = try sample()
        try set(store, 5, entry(store, 0) + 1)
        try set(store, 200, 0xFFFF_0000)
        let pair = try [entry(store, 0), entry(store, 5)]
        let repaired = try check(store, .all)
        #expect(repaired.corruptions == 1 && repaired.corruptionsRepaired == 1, "\(repaired.findings)")
        #expect(try [entry(store, 0), entry(store, 5)] == pair && entry(store, 200) == .max)
        let before = store.bytes
        #expect(try check(store, .all).corruptions == 1)
        #expect(store.bytes == before)
        #expect(code { _ = try opened(store) } == .corrupt)
    }

    @Test("QEMU and libvhdi read what a repair leaves as we do")
    func otherProgramsReadWhatARepairLeaves() throws {
        let folder = try ScratchFolder("vhd-entries")
        let path = folder.file("a.vhd")
        let device = try DiskImage.create(path: path, format: .vhd, size: 12 << 20)
        for block in 0..<5 {
            try device.store([UInt8](repeating: UInt8(block + 1), count: 2 << 20), at: UInt64(block) << 21)
        }
        try device.close()
        let file = try ImageFile(path: path, access: .readWrite)
        let table = try file.array(at: 1536, count: 512)
        var bytes = table
        bytes.replaceBigEndian(at: 4, with: 0x00FF_FFFF)
        bytes.replaceBigEndian(at: 12, with: 2)
        try file.store(bytes, at: 1536)
        file.close()
        #expect(code { _ = try DiskImage.open(path: path, format: .vhd, readOnly: true) } == .corrupt)
        let report = try DiskImage.check(path: path, format: .vhd, repair: .all)
        #expect(report.corruptionsRepaired == 2 && report.corruptions == 0, "\(report.findings)")

        let image = try DiskImage.open(path: path, format: .vhd, readOnly: true)
        let ours = try image.bytes(at: 0, count: 12 << 20)
        try image.close()
        #expect((0..<6).map { ours[$0 << 21] } == [1, 0, 3, 0, 5, 0])
        try save(folder.file("ours"), ours)
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "vpc", folder.file("ours"), path])
        let script = """
            import pyvhdi, sys
            image = pyvhdi.file(); image.open(sys.argv[1])
            with open(sys.argv[2], 'wb') as out:
                while image.get_offset() < image.get_media_size(): out.write(image.read_buffer(65536))
            """
        try Tool.check("/usr/bin/python3", ["-c", script, path, folder.file("libvhdi")])
        try Tool.check("cmp", [folder.file("ours"), folder.file("libvhdi")])
        #expect(try DiskImage.check(path: path, format: .vhd, repair: .leaks).isClean)
        try Tool.check("vhdiinfo", [path])
    }
}
