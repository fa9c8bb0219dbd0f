import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Space that earlier sessions freed.
@Suite struct QCOW2ReuseTests {
    @Test(arguments: [(9, 6), (12, 4), (16, 0)])
    func spaceFreedInEarlierSessionsIsUsedBeforeTheFileGrows(_ clusterBits: Int, _ order: Int) throws {
        let store = StoreInMemory()
        let size = 4 << 20
        try QCOW2Image.create(
            storage: store, size: UInt64(size), clusterBits: clusterBits, refcountOrder: order)
        func session(_ work: (QCOW2Image) throws -> Void) throws {
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            try work(image)
            try image.close()
        }
        try session { try $0.store([UInt8](repeating: 1, count: 1 << 20), 0) }
        try session { try $0.discard(at: 0, length: 512 << 10) }
        let length = try store.size()
        try session { try $0.store([UInt8](repeating: 2, count: 256 << 10), 256 << 10) }
        try session { try $0.store([UInt8](repeating: 3, count: 192 << 10), 0) }
        #expect(try store.size() == length)
        try session { (image: QCOW2Image) throws in
            #expect(try image.bytes(0, 192 << 10).allSatisfy { $0 == 3 })
            #expect(try image.bytes(192 << 10, 64 << 10).allSatisfy { $0 == 0 })
            #expect(try image.bytes(256 << 10, 256 << 10).allSatisfy { $0 == 2 })
            #expect(try image.bytes(512 << 10, 512 << 10).allSatisfy { $0 == 1 })
        }
        let isClean = try ImageUnderKnife(store.bytes).check().isClean
        #expect(isClean)
    }

    /// 4.27 is in the crash tests; this is the steady state of a disk that is rewritten again and again.
    @Test("a disk that is rewritten forever does not grow forever (case 4.27)")
    func aDiskThatIsRewrittenForeverDoesNotGrowForever() throws {
        var random = SeededRandom.printed()
        let store = StoreInMemory()
        let size = 2 << 20
        try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: 12)
        let model = GrowingBytes()
        model.resize(size)
        for _ in 0..<25 {
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            for _ in 0..<12 {
                let start = Int.random(in: 0..<size, using: &random)
                let count = min(size - start, Int.random(in: 1...200_000, using: &random))
                if Bool.random(using: &random) {
                    let data = [UInt8](repeating: UInt8.random(in: 1...255, using: &random), count: count)
                    try image.store(data, start)
                    model.write(data, at: start)
                } else {
                    try image.writeZeroes(at: UInt64(start), length: UInt64(count), mayUnmap: true)
                    model.write([UInt8](repeating: 0, count: count), at: start)
                }
                if Int.random(in: 0..<4, using: &random) == 0 { try image.flush() }
            }
            let isEqual = try image.bytes(0, size) == model.array
            #expect(isEqual)
            try image.close()
        }
        // The disk, its tables, and what was freed and not yet used within one session.
        #expect(try store.size() < UInt64(2 * size))
        let folder = try ScratchFolder("reuse")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    /// A new image is filled in order: data follows data.
    @Test func newImagesAreStillWrittenInOrder() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 64 << 20, clusterBits: 16)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for step in 0..<100 { try image.store([UInt8](repeating: 1, count: 65536), step << 16) }
        try image.close()
        let report = try ImageUnderKnife(store.bytes).check()
        #expect(report.fragmentedClusters == 0)
    }
}
