import BlockIO
import TestSupport
import Testing

@testable import DiskImages

@Suite struct QCOW2CodecTests {
    @Test(arguments: 0...6)
    func refcountsOfEveryWidthKeepTheirNeighbours(_ order: Int) {
        var random = SeededRandom.printed("\(#function) \(order)")
        let words = RefcountWords(order: order)
        var block = [UInt8](repeating: 0, count: 512)
        let count = 4096 >> order
        var model = [UInt64](repeating: 0, count: count)
        unsafe block.withUnsafeMutableBytes { buffer in
            for _ in 0..<500 {
                let slot = Int.random(in: 0..<count, using: &random)
                model[slot] = UInt64.random(in: 0...words.maximum, using: &random)
                unsafe words.set(buffer, slot, model[slot])
                #expect(words.bytes(of: slot).upperBound <= 512)
            }
            for slot in 0..<count { #expect(unsafe words.get(UnsafeRawBufferPointer(buffer), slot) == model[slot]) }
        }
    }

    @Test func narrowRefcountsStartInTheLowBitsAndWideOnesAreBigEndian() {
        var block = [UInt8](repeating: 0, count: 16)
        unsafe block.withUnsafeMutableBytes { buffer in
            unsafe RefcountWords(order: 1).set(buffer, 1, 3)
            unsafe RefcountWords(order: 4).set(buffer, 1, 0x0102)
            unsafe RefcountWords(order: 6).set(buffer, 1, 5)
        }
        #expect(block == [0x0C, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5])
    }

    @Test func entriesSayWhatTheFormatSays() {
        let three = QCOW2Geometry(clusterBits: 16, refcountOrder: 4, version: 3)
        let two = QCOW2Geometry(clusterBits: 16, refcountOrder: 4, version: 2)
        #expect(QCOW2Mapping(0, three) == .unallocated)
        #expect(QCOW2Mapping(1, three) == .zeroPlain)
        #expect(QCOW2Mapping(1, two) == .invalid)
        #expect(QCOW2Mapping(0x8000_0000_0005_0000, three) == .data(host: 0x50000, copied: true))
        #expect(QCOW2Mapping(0x0000_0000_0005_0000, three) == .data(host: 0x50000, copied: false))
        #expect(QCOW2Mapping(0x8000_0000_0005_0001, three) == .zeroAllocated(host: 0x50000, copied: true))
        #expect(QCOW2Mapping(0x4000_0000_0005_1234, three) == .compressed)
        for bad: UInt64 in [1 << 63, 1 << 63 | 1, 0x8000_0000_0005_0200, 0x8000_0000_0005_0002, 0x9000_0000_0005_0000] {
            #expect(QCOW2Mapping(bad, three) == .invalid)
        }
    }

    @Test func theHeaderOfANewImageFitsTheSmallestCluster() throws {
        var header = QCOW2Header()
        header.clusterBits = 9
        header.refcountTableOffset = 512
        header.extensions.featureNames = QCOW2HeaderExtensions.ownFeatureNames
        let bytes = try header.encoded()
        #expect(bytes.count == 512)
        let again = try QCOW2Header(bytes, fileSize: 4096)
        #expect(again.extensions.featureNames.count == 8)
        #expect(again.extensions.names(ofIncompatible: 0b11 | 1 << 50) == "“dirty bit”, “corrupt bit”, bit 50")
    }
}
