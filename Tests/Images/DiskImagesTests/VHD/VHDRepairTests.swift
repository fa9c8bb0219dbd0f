import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Repairs that must not take away, or put back, what they are not about.
@Suite struct VHDRepairTests {
    private func opened(_ store: StoreInMemory) throws -> any BlockDevice {
        try VHDImage.open(
            file: store, readOnly: store.isReadOnly, chain: ChainContext(policy: OpenPolicy(parents: .ignored)))
    }

    @Test("a block table between two blocks is no unused space (cases 2.5, 2.6)")
    func metadataBetweenBlocksStay() throws {
        let store = StoreInMemory()
        try VHDImage.make(file: store, size: 65536, blockSize: 4096, tableOffset: 65536)
        let device = try opened(store)
        for block in 0..<3 { try device.store([UInt8](repeating: UInt8(block + 1), count: 4096), block * 4096) }
        try device.close()
        // Block 0 goes in front of the table.
        let start = UInt64(BigEndianBytes(try store.array(at: 65536, count: 512)).u32(0)) * 512
        try store.store(store.array(at: start, count: 4608), at: 3584)
        var entries = try store.array(at: 65536, count: 512)
        entries.replaceBigEndian(at: 0, with: 7)
        try store.store(entries, at: 65536)
        let expected = try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 65536)
        #expect(expected[0] == 1 && expected[4096] == 2)

        for repair in [RepairChoice.leaks, .all] {
            _ = try VHDImage.check(file: store, repair: repair, cancellation: CancellationFlag())
            #expect(try opened(StoreInMemory(store.bytes, readOnly: true)).bytes(0, 65536) == expected)
        }
    }

    @Test("a map that names absent and partial blocks is rebuilt from the bitmaps (case 2.18)")
    func rebuiltMapsStayRebuilt() throws {
        let store = StoreInMemory()
        let parent = try VHDParent(name: "p", identifier: [UInt8](repeating: 9, count: 16), timestamp: 0)
        try VHDImage.make(file: store, size: 65536, blockSize: 4096, parent: parent)
        let device = try opened(store)
        try device.store([UInt8](repeating: 7, count: 4096), 0)
        try device.store([1, 2, 3], 3 * 4096 + 1024)
        try device.close()
        // Block 0 is full; 3 is not, and 9 is not there.
        let map = try store.array(at: 2560, count: 512)
        #expect(map[0] == 0x80)
        try store.store([0x90, 0x40], at: 2560)
        var head = try store.array(at: 2048, count: 512)
        head.replaceBigEndian(at: 24, with: ~(0xD0 as UInt32))
        try store.store(head, at: 2048)

        let repaired = try VHDImage.check(file: store, repair: .all, cancellation: CancellationFlag())
        #expect(repaired.corruptionsRepaired == 1 && repaired.isClean)
        let after = try VHDImage.check(file: store, repair: nil, cancellation: CancellationFlag())
        #expect(after.isClean && after.findings.isEmpty, "\(after.findings)")
        #expect(try store.array(at: 2560, count: 2) == [0x80, 0])
    }
}
