import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Images laid out as others may, and as nobody should.
@Suite struct VHDOddImagesTests {
    private func opened(_ store: any ImageStorage, readOnly: Bool = false) throws -> any BlockDevice {
        try VHDImage.open(
            file: store, readOnly: readOnly, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
    }

    /// Case 2.5: locators in front of the table, the header behind it, gaps, blocks in any order with and without
    /// padding; and 2.6: zeroes behind the table's last entry.
    @Test("everything is found by its pointers (cases 2.5, 2.6)")
    func everythingIsFoundByItsPointers() throws {
        var random = SeededRandom.printed()
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        let placed = parent.placed(at: 512)
        let header = VHDHeader(
            VHDHeader(tableOffset: 8192, entryCount: 3, blockSize: 4096), parent: parent, locators: placed.locators)
        let footer = VHDFooter(new: .differencing, size: 3 * 4096).with(headerOffset: 16384)
        try store.store(footer.bytes, at: 0)
        try store.store(placed.bytes, at: 512)
        var batmap = VHDBatmap(new: header, virtualSize: 3 * 4096)
        try batmap.store([], file: store)
        try store.store(header.bytes, at: 16384)
        let places: [UInt32] = [60, 41, 50]
        var table: [UInt8] = []
        for place in places { table.appendBigEndian(place) }
        try store.store(table + [UInt8](repeating: 0, count: 500), at: 8192)
        let expected = random.bytes(3 * 4096)
        for (block, place) in places.enumerated() {
            try store.store([0xFF] + [UInt8](repeating: 0, count: 511), at: UInt64(place) * 512)
            try store.store(Array(expected[block * 4096..<(block + 1) * 4096]), at: UInt64(place + 1) * 512)
        }
        try store.store(footer.bytes, at: 35328)
        let device = try opened(store)
        #expect(try device.bytes(0, 3 * 4096) == expected)
        try device.store([7], 5000)
        try device.close()
        #expect(try VHDLayout(file: store).notes.isEmpty)
        #expect(try VHDImage.info(file: store).parentName == "./p")
    }

    /// Case 2.7: the table's sector numbers end at 2 TiB.
    @Test("the last place in the file is the last (case 2.7)")
    func theLastPlaceInTheFileIsTheLast() throws {
        let folder = try ScratchFolder("vhd")
        let path = folder.file("a.vhd")
        let file = try ImageFile(path: path, access: .create)
        try VHDImage.make(file: file, size: 8 << 20, blockSize: 2 << 20)
        let start: UInt64 = (1 << 41) - (2 << 20) - 4096 - 512
        var entry: [UInt8] = []
        entry.appendBigEndian(UInt32(start / 512))
        try file.write(bytes: entry, at: 1536)
        try file.write(bytes: [UInt8](repeating: 0xFF, count: 512), at: start)
        try file.write(bytes: [4, 5, 6], at: start + 512)
        try file.truncate(to: start + 512 + (2 << 20))
        file.close()
        let device = try DiskImage.open(path: path, format: .vhd, readOnly: false)
        #expect(try device.bytes(at: 0, count: 4) == [4, 5, 6, 0])
        try device.store([7], at: 1)
        #expect(code { try device.store([1], at: 2 << 20) } == .noSpace)
        #expect(try device.bytes(at: 0, count: 4) == [4, 7, 6, 0])
        try device.close()
    }

    /// Case 2.2, and 1.4: sizes that the table cannot hold, and such as are no whole sectors.
    @Test("sizes that do not fit are clamped for readers (cases 2.2, 1.4)")
    func sizesThatDoNotFitAreClampedForReaders() throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 65536, blockSize: 4096, entries: 16)
        func setSize(_ size: UInt64) throws {
            for place in [0, UInt64(store.bytes.count - 512)] {
                var bytes = try store.array(at: place, count: 512)
                bytes.replaceBigEndian(at: 48, with: UInt32(size >> 32))
                bytes.replaceBigEndian(at: 52, with: UInt32(truncatingIfNeeded: size))
                bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
                try store.store(bytes, at: place)
            }
        }
        try setSize(65537)
        #expect(try opened(store).size == 65536)
        try setSize(65536 + 512)
        #expect(code { _ = try opened(store) } == .corrupt)
        let clamped = try opened(StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        #expect(try clamped.size == 65536 && VHDLayout(file: store).notes.count == 1)
        try setSize(.max)
        #expect(code { _ = try opened(store) } == .corrupt)
    }

    /// Case 2.11: blktap 0.1 and 1.1 set the hidden mark without the checksum.
    @Test(
        "old blktap hides without the checksum (case 2.11)",
        arguments: [(0x0000_0001, true), (0x0001_0001, true), (0x0001_0003, false)] as [(UInt32, Bool)])
    func oldBlktapHidesWithoutTheChecksum(version: UInt32, isLegal: Bool) throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 65536, blockSize: 4096)
        for place in [0, UInt64(store.bytes.count - 512)] {
            var bytes = try store.array(at: place, count: 512)
            bytes.replaceBigEndian(at: 32, with: version)
            bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
            bytes[85] = 1
            try store.store(bytes, at: place)
        }
        if isLegal {
            #expect(try VHDImage.info(file: store).isHidden)
        } else {
            #expect(code { _ = try VHDLayout(file: store) } == .invalidImage)
        }
    }

    /// Case 2.24.
    @Test(
        "time stamps never trap (case 2.24)",
        arguments: [0, 1_200_798_847, 0x7FFF_FFFF, 0x8000_0000, .max] as [UInt32])
    func timeStampsNeverTrap(stamp: UInt32) throws {
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: stamp)
        try VHDImage.make(file: store, size: 65536, blockSize: 4096, parent: parent)
        for place in [0, UInt64(store.bytes.count - 512)] {
            var bytes = try store.array(at: place, count: 512)
            bytes.replaceBigEndian(at: 24, with: stamp)
            bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
            try store.store(bytes, at: place)
        }
        #expect(try VHDLayout(file: store).header?.parentTimestamp == stamp)
        let report = try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        #expect(report.isClean && report.findings.contains { $0.message.contains("future") } == (stamp > 1 << 30))
        try opened(store).close()
    }

    /// Case 2.18: maps of full blocks that are missing, of old versions, damaged, too large, or wrong.
    @Test(
        "the map of full blocks is believed only when it is sound (case 2.18)",
        arguments: ["none with 1.1", "signed sum of 1.1", "wrong sum", "larger than needed", "absent block"])
    func theMapOfFullBlocksIsBelievedOnlyWhenItIsSound(kind: String) throws {
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        try VHDImage.make(
            file: store, size: 32 * 4096, blockSize: 4096, entries: kind == "larger than needed" ? 9000 : 32,
            parent: parent)
        let device = try opened(store)
        try device.store([UInt8](repeating: 1, count: 4096), 0)
        try device.store([UInt8](repeating: 2, count: 512), 4096)
        try device.close()
        let header = try #require(VHDLayout(file: store).header)
        let place = header.batmapOffset
        #expect(try store.array(at: place + 512, count: 1) == [0x80])
        func setMap(_ first: UInt8, sum: UInt32) throws {
            var bytes = try store.array(at: place + 512, count: 512)
            bytes[0] = first
            try store.store(bytes, at: place + 512)
            var head = try store.array(at: place, count: 512)
            head.replaceBigEndian(at: 24, with: sum)
            try store.store(head, at: place)
        }
        func setVersion(_ version: UInt32) throws {
            for place in [0, UInt64(store.bytes.count - 512)] {
                var bytes = try store.array(at: place, count: 512)
                bytes.replaceBigEndian(at: 32, with: version)
                bytes.replaceBigEndian(at: 64, with: VHDFooter.checksum(bytes))
                try store.store(bytes, at: place)
            }
        }
        // What tells whether the map is believed: the bitmap of block 1 is not asked.
        var isBelieved = true
        switch kind {
        case "none with 1.1":
            try setVersion(0x0001_0001)
            try store.store([UInt8](repeating: 0, count: 512), at: place)
            isBelieved = false
        case "signed sum of 1.1":
            try setVersion(0x0001_0001)
            try setMap(0xC0, sum: ~UInt32(bitPattern: Int32(Int8(bitPattern: 0xC0))))
        case "wrong sum":
            try setMap(0xC0, sum: 1)
            isBelieved = false
        case "larger than needed": try setMap(0xC0, sum: ~0xC0)
        default: try setMap(0xA0, sum: ~0xA0)
        }
        let layout = try VHDLayout(file: store)
        let again = try DynamicVHD(
            file: store, layout: layout, header: header,
            parent: MemoryDevice(content: [UInt8](repeating: 9, count: 32 * 4096)))
        if kind == "absent block" {
            // Block 2 is not there whatever the map says, and what is written to it partly stays partly its own, also
            // after a crash before the map is put right at the end.
            try again.store([5], 2 * 4096)
            try again.flush()
            let crashed = try DynamicVHD(
                file: StoreInMemory(store.bytes), layout: VHDLayout(file: store), header: header,
                parent: MemoryDevice(content: [UInt8](repeating: 9, count: 32 * 4096)))
            for device in [again, crashed] {
                #expect(try device.bytes(2 * 4096, 3) == [5, 9, 9] && device.bytes(2 * 4096 + 600, 1) == [9])
            }
        } else {
            #expect(try again.bytes(4096 + 512, 1) == (isBelieved ? [0] : [9]))
        }
    }
}
