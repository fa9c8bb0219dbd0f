import BlockIO
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Random operations against an array of bytes, judged by qemu-img at the end.
@Suite struct QCOW2ModelTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var clusterBits: Int
        var refcountOrder: Int
        var size: Int
        var operations: Int
        var testDescription: String { "2^\(clusterBits), refcounts 2^\(refcountOrder) bits, \(size) bytes" }
    }

    @Test(
        "behaves like an array of bytes and qemu agrees (case 1.10)",
        arguments: [
            Shape(clusterBits: 9, refcountOrder: 4, size: 3 << 20 | 512, operations: 500),
            Shape(clusterBits: 9, refcountOrder: 0, size: 1 << 20, operations: 300),
            Shape(clusterBits: 9, refcountOrder: 6, size: (1 << 20) + 4608, operations: 300),
            Shape(clusterBits: 12, refcountOrder: 4, size: (8 << 20) + 1536, operations: 400),
            Shape(clusterBits: 12, refcountOrder: 2, size: 2 << 20, operations: 200),
            Shape(clusterBits: 16, refcountOrder: 4, size: (24 << 20) + 512, operations: 300),
            Shape(clusterBits: 16, refcountOrder: 5, size: (4 << 20) - 512, operations: 200),
            Shape(clusterBits: 21, refcountOrder: 3, size: (20 << 20) + 1024, operations: 120),
        ])
    func behavesLikeAnArrayOfBytesAndQemuAgrees(_ shape: Shape) throws {
        var random = SeededRandom.printed("\(#function) \(shape.testDescription)")
        let store = StoreInMemory()
        try QCOW2Image.create(
            storage: store, size: UInt64(shape.size), clusterBits: shape.clusterBits,
            refcountOrder: shape.refcountOrder)
        var image = try QCOW2Image.open(storage: store, readOnly: false)
        let model = GrowingBytes()
        model.resize(shape.size)
        let cluster = 1 << shape.clusterBits
        for _ in 0..<shape.operations {
            let range = random.range(in: shape.size, cluster: cluster)
            switch Int.random(in: 0..<12, using: &random) {
            case 0...4:
                try image.storeRandom(range, model, &random)
            case 5, 6:
                try image.zero(range, model, &random)
            case 7:
                try image.discard(range, model)
            case 8, 9:
                let isEqual = try image.bytes(range.lowerBound, range.count) == model.slice(range)
                #expect(isEqual, "read \(range)")
            case 10: try image.flush()
            default:
                if Int.random(in: 0..<6, using: &random) == 0 {
                    try image.close()
                    image = try QCOW2Image.open(storage: store, readOnly: false)
                }
            }
        }
        let isEqual = try image.bytes(0, shape.size) == model.array
        #expect(isEqual)
        try image.expectTrueExtents(model)
        try image.close()

        let folder = try ScratchFolder("qcow2-model")
        try store.save(folder.file("a.qcow2"))
        try Data(model.array).write(to: URL(fileURLWithPath: folder.file("model.raw")))
        try qemuCheck(folder.file("a.qcow2"))
        try Tool.check(
            "qemu-img",
            ["compare", "-f", "qcow2", "-F", "raw", folder.file("a.qcow2"), folder.file("model.raw")])
    }

    @Test("grows the refcount table many times and stays consistent (case 3.12)")
    func growsTheRefcountTableManyTimesAndStaysConsistent() throws {
        // Refcounts of 64 bits in clusters of 512 bytes: a block counts 32 KiB, a table cluster 2 MiB.
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 24 << 20, clusterBits: 9, refcountOrder: 6)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let data = [UInt8](repeating: 0xA7, count: 1 << 20)
        for number in 0..<20 {
            try image.store(data, number << 20)
            if number % 5 == 2 { try image.flush() }
        }
        try image.close()
        let folder = try ScratchFolder("qcow2-growth")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        let clusters = try QCOW2Image.readHeader(store, fileSize: store.size()).refcountTableClusters
        #expect(clusters >= 11, "the table was to grow")
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        #expect(try again.bytes(19 << 20, 1 << 20) == data)
        #expect(try again.bytes(20 << 20, 1 << 20) == [UInt8](repeating: 0, count: 1 << 20))
    }

    @Test func workingThroughARealFileGivesWhatQemuReads() throws {
        let folder = try ScratchFolder("qcow2-file")
        let path = folder.file("a.qcow2")
        try QCOW2Image.create(file: ImageFile(path: path, access: .create), size: 10_000_000, clusterBits: 16)
        try qemuCheck(path)
        var random = SeededRandom.printed()
        let model = GrowingBytes()
        model.resize(10_000_384)
        for _ in 0..<3 {
            let image = try QCOW2Image.open(file: ImageFile(path: path, access: .readWrite), readOnly: false)
            #expect(image.size == 10_000_384)
            for _ in 0..<40 {
                let start = Int.random(in: 0..<model.count - 100_000, using: &random)
                let data = random.bytes(Int.random(in: 1...100_000, using: &random))
                try image.store(data, start)
                model.write(data, at: start)
            }
            try image.discard(at: 0, length: 1 << 20)
            model.write([UInt8](repeating: 0, count: 1 << 20), at: 0)
            let isEqual = try image.bytes(0, model.count) == model.array
            #expect(isEqual)
            try image.close()
        }
        try Data(model.array).write(to: URL(fileURLWithPath: folder.file("model.raw")))
        try qemuCheck(path)
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, folder.file("model.raw")])
    }

    @Test func flushDoesNoMoreBarriersThanNeeded() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 30, clusterBits: 16)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        func barriers(_ work: () throws -> Void) throws -> Int {
            try work()
            let before = store.syncCount
            try image.flush()
            return store.syncCount - before
        }
        let sector = [UInt8](repeating: 1, count: 512)
        #expect(try barriers { try image.store(sector, 0) } == 3, "data and counts, L2, L1")
        #expect(try barriers { try image.store(sector, 65536) } == 2, "data and counts, L2")
        #expect(try barriers { try image.store(sector, 65536) } == 1, "in place")
        #expect(try barriers { try image.discard(at: 0, length: 65536) } == 1, "L2 only")
        #expect(try barriers {} == 1)
        let reads = store.readCount
        _ = try image.bytes(65536, 4096)
        #expect(store.readCount == reads + 1, "a warm read is one read")
    }
}
