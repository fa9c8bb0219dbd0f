import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

@Suite struct QCOW2CheckTests {
    @Test(arguments: QemuSample.allCases)
    func soundImagesOfQemuAreCleanAndCountedAlike(_ sample: QemuSample) throws {
        let folder = try ScratchFolder("check")
        let image = try ImageUnderKnife(sample.make(folder))
        image.store.recording = true
        let report = try image.check()
        let isClean = report.isClean
        #expect(isClean, "\(report.findings.prefix(5))")
        #expect(image.store.events.isEmpty, "a check writes nothing")
        let json = try Tool.check(
            "qemu-img", ["check", "-f", "qcow2", "--output=json", folder.file("\(sample.rawValue).qcow2")])
        let theirs = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        func number(_ key: String) -> UInt64 { (theirs?[key] as? NSNumber)?.uint64Value ?? 0 }
        #expect(report.totalClusters == number("total-clusters"))
        #expect(report.allocatedClusters == number("allocated-clusters"))
        #expect(report.compressedClusters == number("compressed-clusters"))
        #expect(report.fragmentedClusters == number("fragmented-clusters"))
        #expect(report.imageEnd == number("image-end-offset"))
        // Repairing what is sound changes nothing either.
        let before = image.store.bytes
        _ = try image.check(.all)
        #expect(image.store.bytes == before)
    }

    /// 3.1: every cluster size and refcount width.
    @Test(arguments: [(9, 0), (9, 6), (12, 1), (12, 5), (16, 2), (16, 3), (21, 4)])
    func ourOwnImagesAreClean(_ clusterBits: Int, _ order: Int) throws {
        var random = SeededRandom.printed("\(#function) \(clusterBits) \(order)")
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 6 << 20, clusterBits: clusterBits, refcountOrder: order)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        for _ in 0..<20 {
            let start = Int.random(in: 0..<6_000_000, using: &random)
            try image.store([UInt8](repeating: 7, count: Int.random(in: 1...100_000, using: &random)), start)
            try image.discard(at: UInt64.random(in: 0..<40, using: &random) << 17, length: 1 << 17)
        }
        try image.close()
        let report = try ImageUnderKnife(store.bytes).check()
        let isClean = report.isClean
        #expect(isClean, "\(report.findings.prefix(5))")
        #expect(report.allocatedClusters > 0)
    }

    /// 6.13: sizes and tables that cost nothing to claim take little time and memory.
    @Test func claimsOfHugeImagesAreCheap() throws {
        let folder = try ScratchFolder("check-bomb")
        let path = folder.file("a.qcow2")
        try Tool.check("qemu-img", ["create", "-q", "-f", "qcow2", "-o", "cluster_size=2M", path, "1E"])
        #expect(try DiskImage.check(path: path, format: .qcow2).isClean)
        // All L1 entries name one table, and all of its entries one compressed blob that the file does not have.
        let file = try ImageFile(path: path, access: .readWrite)
        let header = try QCOW2Image.readHeader(file, fileSize: file.size())
        var entry: [UInt8] = []
        let table = try file.size().roundedUp(to: 2 << 20) ?? 0
        entry.appendBigEndian(table | QCOW2Entry.copied)
        let count = Int(header.l1Entries)
        try file.store([UInt8]((0..<count).map { _ in entry }.joined()), at: header.l1Offset)
        var blob: [UInt8] = []
        blob.appendBigEndian(QCOW2Entry.compressed | 4 << 20)
        try file.store([UInt8]((0..<(1 << 18)).map { _ in blob }.joined()), at: table)
        file.close()
        let report = try DiskImage.check(path: path, format: .qcow2)
        #expect(report.corruptions > 0)
        // A file of holes.
        let sparse = try ImageFile(path: path, access: .readWrite)
        try sparse.truncate(to: 1 << 40)
        sparse.close()
        #expect(try DiskImage.check(path: path, format: .qcow2).corruptions > 0)
    }

    /// 6.13: a file of little data names tables of much length.
    @Test func tablesOfSnapshotsThatAreHolesAreNotRead() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9)
        let made = try QCOW2Image.open(storage: store, readOnly: false)
        try made.store([1], 0)
        try made.createSnapshot(name: "s")
        try made.close()
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        try store.truncate(to: 40 << 20)
        let image = try ImageUnderKnife(store.bytes)
        // 32 MiB, which is the most that is legal.
        try image.set(header.snapshotsOffset, 4 << 20)
        let counts = try image.word(header.snapshotsOffset + 8)
        try image.set(header.snapshotsOffset + 8, 1 << 54 | counts & 0xFFFF_FFFF)
        var read = 0
        image.store.reading = { read += $0.count }
        // The clusters of the table have no counts.
        #expect(try image.check().corruptions > 0)
        #expect(read < 4 << 20, "\(read) bytes were read")
    }

    /// A repair makes the file longer: what then lies where the header looks for the bitmaps is no directory of theirs.
    @Test func bitmapsWhoseDirectoryIsBehindTheFileAreGoneAfterARepair() throws {
        let folder = try ScratchFolder("check-bitmaps")
        var bytes = try QemuSample.rich.make(folder)
        let magic: [UInt8] = [0x23, 0x85, 0x28, 0x75]
        let start = try #require((0..<4096 - 32).first { Array(bytes[$0..<$0 + 4]) == magic })
        // One cluster behind the end, where the repair will put something of its own.
        let behind = (UInt64(bytes.count) + 4095) / 4096 * 4096
        for index in 0..<8 { bytes[start + 24 + index] = UInt8(truncatingIfNeeded: behind >> UInt64(56 - 8 * index)) }
        let image = try ImageUnderKnife(bytes)
        let before = try image.check()
        #expect(before.corruptions > 0)
        let after = try image.check(.all)
        let isClean = after.isClean
        #expect(isClean, "\(after.findings.prefix(5))")
        #expect(image.store.bytes[95] & 1 == 0, "no bitmaps are promised any more")
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output) \(verdict.errors)")
    }

    /// qemu looks at the place of the snapshot table even where there are no snapshots.
    @Test func aPlaceForNoSnapshotsThatIsNoneIsPutRight() throws {
        let folder = try ScratchFolder("check-stray")
        for at in [64, 71] {
            var bytes = try QemuSample.subclusters.make(folder)
            #expect(bytes[60..<72].allSatisfy { $0 == 0 })
            bytes[at] = 0x80
            let image = try ImageUnderKnife(bytes)
            #expect(try image.qemu(folder).status != 0)
            #expect(try image.check().corruptions == 1)
            #expect(try image.check(.all).isClean)
            let verdict = try image.qemu(folder)
            #expect(verdict.status == 0, "\(verdict.errors)")
        }
    }

    /// 3.23, and all the damage that random bits do: an error or a report, and after a repair never a worse image.
    @Test func randomDamageIsSurvivedAndRepairedSoThatQemuAgrees() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("check-random")
        let samples = try [QemuSample.rich, .subclusters, .version2].map { try $0.make(folder) }
        var judged = 0
        for round in 0..<150 {
            var bytes = samples[round % samples.count]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<(Bool.random(using: &random) ? 4096 * 8 : bytes.count), using: &random)
                bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            if round % 7 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            guard let image = try? ImageUnderKnife(bytes) else { continue }
            guard let before = try? image.check() else { continue }
            _ = try? ImageUnderKnife(bytes).check(.leaks)
            guard let after = try? image.check(.all) else { continue }
            #expect(after.corruptions <= before.corruptions)
            #expect(try image.check().corruptions == after.corruptions, "a second look agrees")
            if after.isClean, judged < 25, !before.isClean {
                judged += 1
                let verdict = try image.qemu(folder)
                #expect(verdict.status == 0, "round \(round): \(verdict.output) \(verdict.errors)")
            }
        }
        #expect(judged > 5)
    }
}
