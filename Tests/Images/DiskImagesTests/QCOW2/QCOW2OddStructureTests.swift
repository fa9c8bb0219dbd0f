import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Structures that are legal and unusual, or that tools leave behind.
@Suite struct QCOW2OddStructureTests {
    /// Refcount block 1 counts block 0's part of the file and the other way round is not needed: a block may lie
    /// anywhere, in particular in the part that another block counts.
    @Test("a refcount block may be counted by another one (case 3.13)")
    func aRefcountBlockMayBeCountedByAnother() throws {
        // Clusters of 512 bytes, counts of 64 bits: a block counts 64 clusters, 32 KiB.
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9, refcountOrder: 6)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 3, count: 100 << 10), 0)
        try image.close()
        // Block 1 moves to a new cluster at the end of the file, in the part of the last block.
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let table = try store.words(at: header.refcountTableOffset, count: 8)
        let old = table[1]
        let new = try store.size().roundedUp(to: 512) ?? 0
        try store.store(try store.array(at: old, count: 512), at: new)
        let knife = try ImageUnderKnife(store.bytes)
        try knife.set(header.refcountTableOffset + 8, new)
        func count(_ host: UInt64, _ value: UInt64) throws {
            let cluster = host / 512
            let block = try knife.word(header.refcountTableOffset + cluster / 64 * 8)
            try knife.set(block + cluster % 64 * 8, value)
        }
        try #require(try knife.word(header.refcountTableOffset + new / 512 / 64 * 8) != 0, "the last block counts it")
        try #require(new / 512 / 64 != 1)
        try count(new, 1)
        try count(old, 0)
        let report = try knife.check()
        #expect(report.isClean, "\(report.findings.prefix(3))")
        let again = try QCOW2Image.open(storage: knife.store, readOnly: false)
        try again.store([UInt8](repeating: 4, count: 200 << 10), 50 << 10)
        let isEqual =
            try again.bytes(0, 250 << 10)
            == [UInt8](repeating: 3, count: 50 << 10) + [UInt8](repeating: 4, count: 200 << 10)
        #expect(isEqual)
        try again.close()
        let folder = try ScratchFolder("qcow2-odd")
        try knife.store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
    }

    @Test("an image whose header was zeroed is no qcow2, and not raw either (case 3.24)")
    func aZeroedHeaderIsNoImage() throws {
        let folder = try ScratchFolder("qcow2-odd")
        let path = folder.file("a.qcow2")
        let device = try DiskImage.create(path: path, format: .qcow2, size: 1 << 20)
        try device.store([5], at: 0)
        try device.close()
        let file = try ImageFile(path: path, access: .readWrite)
        _ = try file.punch(at: 0, length: 65536)
        file.close()
        for readOnly in [true, false] {
            #expect(code { _ = try DiskImage.open(path: path, format: .qcow2, readOnly: readOnly) } == .invalidImage)
        }
        #expect(code { _ = try DiskImage.info(path: path, format: .qcow2) } == .invalidImage)
        #expect(code { _ = try DiskImage.check(path: path, format: .qcow2, repair: .all) } == .invalidImage)
        let isCandidate = if case .rawCandidate = try DiskImage.probe(path: path) { true } else { false }
        #expect(isCandidate, "which nobody takes for raw without being told")
    }

    @Test("tables that cannot be are refused (case 3.10)")
    func tablesThatCannotBeAreRefused() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 8 << 20, clusterBits: 12)
        let end = try store.size()
        let header = try QCOW2Image.readHeader(store, fileSize: end)
        let needed = UInt64(header.l1Entries)
        // L1 entries, offset.
        for (entries, offset) in [
            (needed, header.l1Offset + 8), (needed, 0), (needed, (end + 4095) & ~4095),
            (0, header.l1Offset), (needed - 1, header.l1Offset), (UInt64(UInt32.max), header.l1Offset),
            (needed, 1 << 62), (needed, .max - 4095),
        ] as [(UInt64, UInt64)] {
            let damaged = StoreInMemory(store.bytes)
            var bytes: [UInt8] = []
            bytes.appendBigEndian(UInt32(truncatingIfNeeded: entries))
            bytes.appendBigEndian(offset)
            try damaged.store(bytes, at: QCOW2Header.Offset.l1Table)
            for readOnly in [true, false] {
                let found = code { _ = try QCOW2Image.open(storage: damaged, readOnly: readOnly) }
                #expect([.invalidImage, .corrupt, .limitExceeded].contains(found), "\(entries) entries at \(offset)")
            }
        }
    }

    @Test("a compressed write to an allocated cluster loses no update (case 4.11)")
    func aCompressedWriteReplacesWhatWasThere() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 16)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        try image.store([UInt8](repeating: 1, count: 200_000), 0)
        let text = [UInt8](repeating: 2, count: 131_072)
        try unsafe text.withUnsafeBytes { try unsafe image.writeCompressed($0, at: 0) }
        #expect(try image.bytes(131_070, 4) == [2, 2, 1, 1])
        // Over a compressed cluster, and a shared one.
        try image.createSnapshot(name: "s")
        let other = [UInt8](repeating: 3, count: 65536)
        try unsafe other.withUnsafeBytes { try unsafe image.writeCompressed($0, at: 65536) }
        try image.store([4], 65536 + 9)
        #expect(try image.bytes(65535, 2) == [2, 3] && image.bytes(65536 + 8, 3) == [3, 4, 3])
        let snapshot = try image.openSnapshot("s")
        #expect(try snapshot.bytes(65535, 2) == [2, 2])
        try snapshot.close()
        try image.close()
        let folder = try ScratchFolder("qcow2-odd")
        try store.save(folder.file("a.qcow2"))
        try qemuCheck(folder.file("a.qcow2"))
        let report = try ImageUnderKnife(store.bytes).check()
        #expect(report.isClean, "\(report.findings.prefix(3))")
    }

    /// A reader that knows nothing of ours or of qemu's.
    @Test("libqcow reads what we write", arguments: [2, 3] as [UInt32], [9, 12, 16, 21])
    func libqcowReadsWhatWeWrite(_ version: UInt32, _ clusterBits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(version) \(clusterBits)")
        let folder = try ScratchFolder("libqcow")
        let path = folder.file("a.qcow2")
        var options = CreateOptions(clusterSize: 1 << UInt64(clusterBits))
        options.qcow2Version = version
        let size: UInt64 = (9 << 20) + 1536
        let device = try DiskImage.create(path: path, format: .qcow2, size: size, options: options)
        let image = try #require(device as? QCOW2Image)
        var model = [UInt8](repeating: 0, count: Int(size))
        for _ in 0..<40 {
            let start = Int.random(in: 0..<model.count, using: &random)
            let bytes = random.bytes(min(model.count - start, Int.random(in: 1...90_000, using: &random)))
            try image.store(bytes, start)
            model.replaceSubrange(start..<start + bytes.count, with: bytes)
        }
        // Compressed clusters, whole ones.
        // (No cluster of zeroes among them: of qemu's zero clusters, too, this libqcow shows the wrong content.)
        let text = (0..<4 << 20).map { UInt8($0 >> 9 & 127) + 1 }
        try unsafe text.withUnsafeBytes { try unsafe image.writeCompressed($0, at: 2 << 20) }
        model.replaceSubrange(2 << 20..<6 << 20, with: text)
        try image.store([77], 3 << 20)
        model[3 << 20] = 77
        try device.close()
        let judged = try LibyalReader.read("qcow", [path])
        #expect(judged.size == size)
        let isEqual = judged.bytes == model
        #expect(isEqual)
        let said = try Tool.check("qcowinfo", [path])
        #expect(said.contains("(\(size) bytes)"), "\(said)")
    }

    /// Matches further back than QEMU's own: another reader than QEMU finds them, too.
    @Test("libqcow reads distances beyond four kibibytes (case 4.8)", arguments: [16, 21])
    func libqcowReadsDistancesBeyondFourKibibytes(_ clusterBits: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits)")
        let folder = try ScratchFolder("libqcow")
        let path = folder.file("a.qcow2")
        let cluster = 1 << clusterBits
        let device = try DiskImage.create(
            path: path, format: .qcow2, size: UInt64(2 * cluster),
            options: CreateOptions(clusterSize: UInt64(cluster)))
        let image = try #require(device as? QCOW2Image)
        let noise = random.bytes(16384)
        var far: [UInt8] = []
        while far.count < cluster { far += noise }
        try unsafe far.withUnsafeBytes { try unsafe image.writeCompressed($0, at: UInt64(cluster)) }
        try device.close()
        #expect(try DiskImage.check(path: path, format: .qcow2).compressedClusters == 1)
        // (What it makes of a plain cluster at the end of the file was not looked into.)
        let isEqual = try LibyalReader.read("qcow", [path]).bytes == [UInt8](repeating: 0, count: cluster) + far
        #expect(isEqual)
    }
}
