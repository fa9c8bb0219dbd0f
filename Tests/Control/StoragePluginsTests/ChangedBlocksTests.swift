import Testing

@testable import StoragePlugins

/// Bitmaps of plugins in other blocks than those of 64 KiB.
@Suite("Changed blocks of SMAPIv3 plugins") struct ChangedBlocksTests {
    private func standard(_ granularity: UInt64, _ bitmap: [UInt8], size: UInt64) throws -> [UInt8] {
        try ChangedBlocks(granularity: granularity, bitmap: bitmap).standard(size: size).bitmap
    }

    @Test("a block of 64 KiB has changed when anything in it has") func anythingChanged() throws {
        // 4 KiB: sixteen to a block. The last bit of the first block, and the first of the third.
        #expect(try standard(4096, [0, 0x01, 0, 0, 0x80, 0], size: 1 << 20) == [0b1010_0000, 0])
        // Two blocks of 64 KiB to a bit.
        #expect(try standard(128 << 10, [0b0110_0000], size: 512 << 10) == [0b0011_1100])
        // One that is no multiple: 65536 to 196607 holds the second bit of 96 KiB.
        #expect(try standard(96 << 10, [0b0100_0000], size: 1 << 20) == [0b0110_0000, 0])
        #expect(try standard(1, [0x80], size: 65537) == [0x80])
    }

    @Test("what is behind the volume's end is left out, whatever the numbers are") func bounds() throws {
        #expect(try standard(1 << 20, [0xFF, 0xFF], size: 65536 * 3 + 1) == [0b1111_0000])
        #expect(try standard(UInt64(Int64.max), [0xFF], size: 65536) == [0x80])
        #expect(try standard(4096, [0, 0xFF, 0xFF], size: 32768) == [0])
        #expect(try standard(4096, [0xFF], size: 0) == [])
        #expect(throws: MisshapenRecord.self) { try standard(4096, [0xFF], size: UInt64(Int64.max)) }
    }

    @Test(
        "a bit for each block, whatever the granularity",
        arguments: [512, 4096, 65536, 65537, 1 << 20, 3 << 20] as [UInt64])
    func everyBit(_ granularity: UInt64) throws {
        let size: UInt64 = 4 << 20
        let bits = Int((size + granularity - 1) / granularity)
        for bit in 0..<bits {
            var bitmap = [UInt8](repeating: 0, count: (bits + 7) / 8)
            bitmap[bit / 8] = 0x80 >> UInt8(bit % 8)
            let result = try standard(granularity, bitmap, size: size)
            let (start, end) = (UInt64(bit) * granularity, min(size, UInt64(bit + 1) * granularity))
            for block in 0..<64 {
                let isSet = result[block / 8] & (0x80 >> UInt8(block % 8)) != 0
                let touches = UInt64(block) * 65536 < end && UInt64(block + 1) * 65536 > start
                guard isSet == touches else {
                    Issue.record("block \(block) of bit \(bit)")
                    return
                }
            }
        }
    }
}
