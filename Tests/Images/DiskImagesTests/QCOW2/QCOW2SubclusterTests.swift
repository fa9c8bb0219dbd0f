import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Extended L2 entries (case 4.13), and images on block devices (case 4.26).
@Suite struct QCOW2SubclusterTests {
    @Test("subclusters of qemu are read and written one by one (case 4.13)", arguments: ["16k", "64k", "2M"])
    func subclustersOfQemuAreReadAndWrittenOneByOne(_ cluster: String) throws {
        var random = SeededRandom.printed("\(#function) \(cluster)")
        let folder = try ScratchFolder("qcow2-extended")
        let path = folder.file("a.qcow2")
        let base = random.bytes(300_000)
        try Data(base).write(to: URL(fileURLWithPath: folder.file("base.raw")))
        try Tool.check(
            "qemu-img",
            [
                "create", "-f", "qcow2", "-o", "extended_l2=on,cluster_size=\(cluster)", "-b", "base.raw", "-F", "raw",
                path,
                "4M",
            ])
        try Tool.check(
            "qemu-io",
            [
                "-f", "qcow2", "-c", "write -P 1 5000 3000", "-c", "write -z 70000 9000", "-c", "write -P 2 2M 100k",
                path,
            ])
        let model = GrowingBytes(base)
        model.resize(4 << 20)
        model.write([UInt8](repeating: 1, count: 3000), at: 5000)
        model.write([UInt8](repeating: 0, count: 9000), at: 70_000)
        model.write([UInt8](repeating: 2, count: 102_400), at: 2 << 20)
        let policy = OpenPolicy(parents: .given([ImageReference(path: folder.file("base.raw"), format: .raw)]))
        let image = try DiskImage.open(path: path, format: .qcow2, readOnly: false, policy: policy)
        let isRead = try image.bytes(at: 0, count: 4 << 20) == model.array
        #expect(isRead)
        // Each subcluster of a cluster, in random order, with what lies between.
        let unit = try CreateOptions(parsing: "cluster_size=\(cluster)").clusterSize / 32
        for number in (0..<32).shuffled(using: &random) {
            let offset = UInt64(number) * unit
            switch number % 4 {
            case 0:
                try image.store([3], at: offset + unit / 2)
                model.write([3], at: Int(offset + unit / 2))
            case 1:
                try image.writeZeroes(at: offset, length: unit, mayUnmap: number % 8 == 1)
                model.write([UInt8](repeating: 0, count: Int(unit)), at: Int(offset))
            case 2:
                let data = random.bytes(Int(unit))
                try image.store(data, at: offset)
                model.write(data, at: Int(offset))
            default: break
            }
        }
        let isSame = try image.bytes(at: 0, count: 4 << 20) == model.array
        #expect(isSame)
        try image.close()
        try qemuCheck(path)
        try Data(model.array).write(to: URL(fileURLWithPath: folder.file("model")))
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", path, folder.file("model")])
    }

    /// Both bits of a subcluster, bits without a cluster, a bitmap beside a compressed cluster, the flag of bit 0.
    @Test(
        "entries that contradict themselves are errors of their cluster (case 4.13)",
        arguments: [
            (1 << 63 | 0x50000, 1 << 32 | 1), (0, 1), (1 << 62 | 0x50000, 1 << 40), (1 << 63 | 0x50001, 1),
            (1 << 63 | 0x50200, 1), (1 << 63, 0),
        ] as [(UInt64, UInt64)])
    func entriesThatContradictThemselvesAreErrorsOfTheirCluster(_ word: UInt64, _ bitmap: UInt64) throws {
        let memory = StoreInMemory()
        var options = CreateOptions()
        options.extendedL2 = true
        try QCOW2Image.create(storage: memory, size: 1 << 20, options: options)
        var image = try QCOW2Image.open(storage: memory, readOnly: false)
        try image.store([UInt8](repeating: 2, count: 131_072), 0)
        try image.close()
        let header = try QCOW2Image.readHeader(memory, fileSize: memory.size())
        let table = try memory.words(at: header.l1Offset, count: 1)[0] & QCOW2Entry.offsetMask
        var bytes: [UInt8] = []
        bytes.appendBigEndian(word)
        bytes.appendBigEndian(bitmap)
        try memory.store(bytes, at: table)
        image = try QCOW2Image.open(storage: memory, readOnly: false)
        #expect(code { _ = try image.bytes(0, 1) } == .corrupt)
        #expect(try image.bytes(65536, 2) == [2, 2])
        #expect(code { try image.store([1], 0) } == .corrupt)
        #expect(code { try image.store([1], 65536) } == .corrupt, "nothing is written any more")
    }

    /// A single subcluster is copied, not the cluster.
    @Test func aSmallWriteOverAParentCopiesOneSubclusterOnly() throws {
        let folder = try ScratchFolder("qcow2-small")
        try Data(repeating: 8, count: 1 << 20).write(to: URL(fileURLWithPath: folder.file("base.raw")))
        var options = CreateOptions()
        options.extendedL2 = true
        options.parent = .init(name: "base.raw", format: .raw)
        let image = try DiskImage.create(path: folder.file("a"), format: .qcow2, size: 1 << 20, options: options)
        try image.store([1], at: 10_000)
        #expect(
            try image.extents(at: 0, length: 65536) == [
                Extent(offset: 0, length: 8192, kind: .data, depth: 1),
                Extent(offset: 8192, length: 2048, kind: .data, depth: 0),
                Extent(offset: 10_240, length: 55_296, kind: .data, depth: 1),
            ])
        try image.close()
    }

    /// A cluster that a snapshot shares is copied with the old bytes of subclusters that were zeroed since: they do not
    /// show when one of them is written in part.
    @Test(arguments: [(4196, 100), (4096, 100), (8192, 100), (2048, 2100), (6000, 3000)])
    func aCopiedClusterShowsNothingOld(_ offset: Int, _ count: Int) throws {
        let memory = StoreInMemory()
        var options = CreateOptions()
        options.extendedL2 = true
        try QCOW2Image.create(storage: memory, size: 1 << 20, options: options)
        let image = try QCOW2Image.open(storage: memory, readOnly: false)
        var model = [UInt8](repeating: 1, count: 65536)
        try image.store(model, 0)
        try image.createSnapshot(name: "before")
        try image.writeZeroes(at: 4096, length: 6144, mayUnmap: true)
        try image.store([UInt8](repeating: 2, count: count), offset)
        model.replaceSubrange(4096..<10_240, with: repeatElement(0, count: 6144))
        model.replaceSubrange(offset..<offset + count, with: repeatElement(2, count: count))
        let isEqual = try image.bytes(0, 65536) == model
        #expect(isEqual)
        try image.close()
    }

    @Test("a block device holds an image up to its end (case 4.26)", arguments: [4096, 65536] as [UInt64])
    func aBlockDeviceHoldsAnImageUpToItsEnd(_ clusterSize: UInt64) throws {
        var random = SeededRandom.printed("\(#function) \(clusterSize)")
        // What was there before must not show.
        let memory = StoreInMemory(random.bytes((2 << 20) + 4096))
        memory.isBlockDevice = true
        let options = CreateOptions(clusterSize: clusterSize)
        try QCOW2Image.create(storage: memory, size: 8 << 20, options: options)
        var image = try QCOW2Image.open(storage: memory, readOnly: false)
        let model = GrowingBytes()
        model.resize(8 << 20)
        var isFull = false
        for round in 0..<400 where !isFull {
            let offset = Int.random(in: 0..<(8 << 20) - 30_000, using: &random)
            let data = random.bytes(Int.random(in: 1...30_000, using: &random))
            do {
                try image.store(data, offset)
                model.write(data, at: offset)
            } catch let error as BlockError {
                #expect(error.code == .noSpace)
                isFull = true
                model.write(try image.bytes(offset, data.count), at: offset)
            }
            if round % 7 == 6 {
                try image.close()
                image = try QCOW2Image.open(storage: memory, readOnly: false)
            }
        }
        #expect(isFull)
        let isSame = try image.bytes(0, 8 << 20) == model.array
        #expect(isSame)
        try image.close()
        let folder = try ScratchFolder("qcow2-device")
        try memory.save(folder.file("a"))
        try Data(model.array).write(to: URL(fileURLWithPath: folder.file("b")))
        try qemuCheck(folder.file("a"))
        try Tool.check("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", folder.file("a"), folder.file("b")])
        let small = StoreInMemory([UInt8](repeating: 1, count: 8192))
        small.isBlockDevice = true
        #expect(code { try QCOW2Image.create(storage: small, size: 1 << 30, options: options) } == .noSpace)
    }
}
