import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Bitmaps whose tables name what is not theirs: the disk, its snapshots and the image's structures survive whatever is
/// done with them (4.16, 3.17).
@Suite struct QCOW2BitmapDamageTests {
    /// What the first entry of the table of the bitmap “marks” names.
    enum Target: String, CaseIterable { case l1, l2, refcountBlock, guestData, snapshotL2, otherBitmap, itself }
    enum Work: String, CaseIterable { case write, clear, delete, deleteOther }

    /// The sample, with the content of the disk and of its first snapshot.
    private func sample(_ folder: ScratchFolder) throws -> (image: ImageUnderKnife, directory: QCOW2BitmapDirectory) {
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        return (image, try QCOW2BitmapDirectory(image.header, QCOW2Geometry(image.header), image.store))
    }

    private func content(_ store: StoreInMemory) throws -> [[UInt8]] {
        let image = try QCOW2Image.open(storage: StoreInMemory(store.bytes, readOnly: true), readOnly: true)
        let disk = try image.bytes(0, 8 << 20)
        return try [disk] + ["first", "second"].map { try image.openSnapshot($0).bytes(0, 8 << 20) }
    }

    private func place(_ target: Target, _ image: ImageUnderKnife, _ directory: QCOW2BitmapDirectory) throws -> UInt64 {
        switch target {
        case .l1: image.header.l1Offset
        case .l2: try image.l2(0)
        case .refcountBlock: try image.block()
        case .guestData: try image.word(image.data()) & QCOW2Entry.offsetMask
        case .snapshotL2: try image.word(image.word(image.header.snapshotsOffset)) & QCOW2Entry.offsetMask
        case .otherBitmap: try #require(directory.entries.first { $0.name == Array("more".utf8) }).tableOffset
        case .itself: try #require(directory.entries.first { $0.name == Array("marks".utf8) }).tableOffset
        }
    }

    @Test("a bitmap that names others' clusters costs nobody anything (case 4.16)", arguments: Target.allCases)
    func aBitmapThatNamesOthersClustersCostsNobodyAnything(_ target: Target) throws {
        let folder = try ScratchFolder("bitmap-damage")
        for work in Work.allCases {
            let (image, directory) = try sample(folder)
            var expected = try content(image.store)
            let marks = try #require(directory.entries.first { $0.name == Array("marks".utf8) })
            try image.set(marks.tableOffset, place(target, image, directory))
            let device = try QCOW2Image.open(storage: image.store, readOnly: false)
            switch work {
            case .write: break
            // May be refused.
            case .clear: try? device.clearBitmap("marks")
            case .delete: try device.deleteBitmap("marks")
            case .deleteOther: try device.deleteBitmap("more")
            }
            try device.store([1, 2, 3], 5 << 20)
            try device.close()
            expected[0].replaceSubrange(5 << 20..<(5 << 20) + 3, with: [1, 2, 3])
            let isKept = try content(image.store) == expected
            #expect(isKept, "\(target) \(work)")
            // What is wrong afterwards is the bitmap, or clusters that leak.
            let isClean = try image.check(.all).isClean
            #expect(isClean, "\(target) \(work)")
            let isStillKept = try content(image.store) == expected
            #expect(isStillKept, "\(target) \(work), repaired")
            let again = try QCOW2Image.open(storage: image.store, readOnly: false)
            if work == .delete { #expect(try !again.bitmaps().map(\.name).contains("marks")) }
            try again.store([4], 6 << 20)
            try again.close()
            let verdict = try image.qemu(folder)
            #expect(verdict.status == 0, "\(target) \(work): \(verdict.output)\(verdict.errors)")
        }
    }

    enum Damage: String, CaseIterable {
        case reserved, unaligned, behind, guestData, l2, longTable, granularity, directory
    }

    @Test("a repair removes damaged bitmaps and leaves the image writable (case 4.16)", arguments: Damage.allCases)
    func aRepairRemovesDamagedBitmaps(_ damage: Damage) throws {
        let folder = try ScratchFolder("bitmap-repair")
        let (image, directory) = try sample(folder)
        let expected = try content(image.store)
        let at = try #require(image.header.extensions.bitmapDirectory).offset
        let table = directory.entries[0].tableOffset
        let name = String(decoding: directory.entries[0].name, as: UTF8.self)
        switch damage {
        case .reserved: try image.set(table, image.word(table) | 1 << 60)
        case .unaligned: try image.set(table, image.word(table) + 512)
        case .behind: try image.set(table, 1 << 40)
        case .guestData: try image.set(table, place(.guestData, image, directory))
        case .l2: try image.set(table, image.l2(0))
        case .longTable: try image.store.store([0, 0x10, 0, 0], at: at + 8)
        case .granularity: try image.store.store([40], at: at + 17)
        case .directory:
            var header = image.header
            header.extensions.bitmapDirectory = (try image.l2(0), 56)
            try header.rewrite(on: image.store)
        }
        let before = try image.check()
        #expect(before.corruptions > 0 && !before.isClean)
        let after = try image.check(.all)
        let isClean = after.isClean
        #expect(isClean, "\(after.findings.prefix(4))")
        #expect(image.store.bytes[79] & 2 == 0, "not marked as corrupt")
        let isKept = try content(image.store) == expected
        #expect(isKept)
        let device = try QCOW2Image.open(storage: image.store, readOnly: false)
        let left = try device.bitmaps().map(\.name)
        let isLost = [.longTable, .granularity, .directory].contains(damage)
        let others = directory.entries.dropFirst().map { String(decoding: $0.name, as: UTF8.self) }
        #expect(left == (isLost ? [] : others))
        try device.createBitmap(name: name, granularity: 65536)
        try device.store([1], 0)
        try device.close()
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    /// Deleting one of two bitmaps that missed writes does not make the other one good.
    @Test func whatAnOlderWriterMadeStaleStaysSo() throws {
        let folder = try ScratchFolder("bitmap-stale")
        let (image, _) = try sample(folder)
        let expected = try content(image.store)
        try image.set(88, 0)
        let device = try QCOW2Image.open(storage: image.store, readOnly: false)
        try device.deleteBitmap("marks")
        #expect(try device.bitmaps().map(\.isInconsistent) == [true])
        try device.close()
        let again = try QCOW2Image.open(storage: image.store, readOnly: false)
        #expect(try again.bitmaps().map(\.isInconsistent) == [true])
        try again.deleteBitmap("more")
        try again.close()
        #expect(try image.check().isClean)
        let isKept = try content(image.store) == expected
        #expect(isKept)
    }

    /// What a check gave back is nobody's: no bitmap names it afterwards.
    @Test func bitmapsThatAreNotValidAreForgottenWithTheirClusters() throws {
        let folder = try ScratchFolder("bitmap-forgotten")
        let (image, _) = try sample(folder)
        try image.set(88, 0)
        #expect(try image.check().leaks > 0)
        let isClean = try image.check(.leaks).isClean
        #expect(isClean)
        let device = try QCOW2Image.open(storage: image.store, readOnly: false)
        #expect(try device.bitmaps().isEmpty)
        // Into the clusters that were given back, and once more.
        for value: UInt8 in [1, 2] { try device.store([UInt8](repeating: value, count: 300_000), 4 << 20) }
        try device.createBitmap(name: "new", granularity: 65536)
        try device.close()
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }
}
