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

    /// A device cannot grow: what is free on it is all there is.
    @Test("what earlier sessions freed on a block device is used again (case 4.26)", arguments: [9, 12, 16])
    func whatEarlierSessionsFreedOnABlockDeviceIsUsedAgain(_ clusterBits: Int) throws {
        let store = StoreInMemory([UInt8](repeating: 0xDD, count: 3 << 20))
        store.isBlockDevice = true
        try QCOW2Image.create(storage: store, size: 8 << 20, clusterBits: clusterBits)
        func session(_ work: (QCOW2Image) throws -> Void) throws {
            let image = try QCOW2Image.open(storage: store, readOnly: false)
            try work(image)
            try image.close()
        }
        var written = 0
        try session { (image: QCOW2Image) in
            while code({ try image.store([UInt8](repeating: 1, count: 65536), written) }) == nil { written += 65536 }
        }
        #expect(written > 2 << 20)
        try session { try $0.discard(at: 0, length: 1 << 20) }
        // Clusters, and here and there a table.
        try session { try $0.store([UInt8](repeating: 2, count: 960 << 10), 0) }
        try session { (image: QCOW2Image) throws in
            #expect(try image.bytes(0, 960 << 10).allSatisfy { $0 == 2 })
            #expect(try image.bytes(960 << 10, 64 << 10).allSatisfy { $0 == 0 })
            #expect(try image.bytes(1 << 20, written - 1 << 20).allSatisfy { $0 == 1 })
        }
        #expect(try ImageUnderKnife(store.bytes).check().corruptions == 0)
    }

    /// The steady state of a disk that is rewritten again and again.
    @Test func aDiskThatIsRewrittenForeverDoesNotGrowForever() throws {
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

    /// The guest cluster that each host cluster of data belongs to, as a file says it.
    private func owners(_ bytes: GrowingBytes) throws -> [Int: Int] {
        let store = StoreInMemory(bytes.array, readOnly: true)
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let geometry = QCOW2Geometry(header)
        var owners: [Int: Int] = [:]
        for (index, word) in try store.words(at: header.l1Offset, count: Int(header.l1Entries)).enumerated() {
            let table = word & QCOW2Entry.offsetMask
            if table == 0 { continue }
            for (number, entry) in try store.words(at: table, count: geometry.l2Entries).enumerated() {
                let host = Int((entry & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits))
                if host != 0 { owners[host] = index * geometry.l2Entries + number }
            }
        }
        return owners
    }

    /// What a crash would leave must never name a cluster that another part of the disk has been given: every write of
    /// data goes where the durable tables name nothing, or the part that the data is for.
    @Test(arguments: [9, 12])
    func _4_27_aFreedClusterIsUsedAgainOnlyWhenNoDurableTableNamesIt(_ clusterBits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits)")
        let cluster = 1 << clusterBits
        let clusters = 200
        let store = StoreInMemory()
        try QCOW2Image.create(
            storage: store, size: UInt64(clusters * cluster), clusterBits: clusterBits, refcountOrder: 4)
        let start = store.bytes
        store.recording = true
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        // The value in a write names its clusters.
        var meant: [UInt8: Range<Int>] = [:]
        for value in UInt8(1)...250 {
            let first = Int.random(in: 0..<clusters, using: &random)
            let range = first..<min(clusters, first + Int.random(in: 1...12, using: &random))
            meant[value] = range
            switch value % 4 {
            case 0: try image.discard(at: UInt64(range.lowerBound * cluster), length: UInt64(range.count * cluster))
            case 1 where value % 16 == 1: try image.flush()
            case 1:
                try image.writeZeroes(
                    at: UInt64(range.lowerBound * cluster), length: UInt64(range.count * cluster), mayUnmap: true)
            default:
                try image.store([UInt8](repeating: value, count: range.count * cluster), range.lowerBound * cluster)
            }
        }
        try image.close()

        let content = GrowingBytes(start)
        var durable = try owners(content)
        var reused = 0
        var seen: Set<Int> = []
        for event in store.events {
            switch event {
            case .sync: durable = try owners(content)
            case .truncate(let length): content.resize(length)
            case .write(let offset, let bytes):
                let value = bytes.first ?? 0
                let isData = bytes.count >= cluster && value != 0 && bytes.allSatisfy { $0 == value }
                if isData, let range = meant[value] {
                    for host in offset / cluster..<(offset + bytes.count) / cluster {
                        if !seen.insert(host).inserted { reused += 1 }
                        guard let owner = durable[host] else { continue }
                        #expect(range.contains(owner), "host cluster \(host) is durably guest cluster \(owner)'s")
                    }
                }
                content.write(bytes, at: offset)
            }
        }
        // Space does get used again.
        #expect(reused > 20)
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
