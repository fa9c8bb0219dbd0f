import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// 3.17: entries that lead writes to the image's own structures, in an image that has all of them. (The structures of
/// plain images are in `QCOW2HostileTests`.)
@Suite struct QCOW2OverlapTests {
    enum Target: String, CaseIterable {
        case snapshotTable
        case snapshotL1
        case bitmapDirectory
        case refcountBlock
        case otherL2
    }

    @Test("no write reaches a structure (cases 3.17, 3.21)", arguments: Target.allCases, [true, false])
    func noWriteReachesAStructure(_ target: Target, _ isZeroCluster: Bool) throws {
        let folder = try ScratchFolder("overlap")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        let host: UInt64
        switch target {
        case .snapshotTable: host = image.header.snapshotsOffset
        case .snapshotL1: host = try image.word(image.header.snapshotsOffset)
        case .bitmapDirectory: host = try #require(image.header.extensions.bitmapDirectory).offset
        case .refcountBlock: host = try image.block()
        case .otherL2: host = try image.l2(3)
        }
        // The table of the disk's last part is the active state's alone.
        let table = try image.l2(3)
        let index = try #require(image.store.words(at: table, count: 512).firstIndex { $0 >> 62 == 2 })
        try image.set(table + UInt64(index) * 8, host | QCOW2Entry.copied | (isZeroCluster ? 1 : 0))
        var before = image.store.bytes
        // The bitmaps are marked as in use before the first change, whatever becomes of it.
        var bitmaps = try QCOW2BitmapDirectory(image.header, QCOW2Geometry(image.header), image.store)
        for number in bitmaps.entries.indices where bitmaps.entries[number].isAuto {
            bitmaps.entries[number].flags |= QCOW2BitmapEntry.inUse
        }
        let marked = try bitmaps.encoded()
        before.replaceSubrange(Int(bitmaps.offset)..<Int(bitmaps.offset) + marked.count, with: marked)
        let device = try QCOW2Image.open(storage: image.store, readOnly: false)
        let offset = 6 << 20 + index * 4096
        for _ in 0..<2 {
            let error = #expect(throws: BlockError.self) { try device.store([1, 2, 3], offset) }
            #expect(error?.code == .corrupt)
        }
        #expect(throws: BlockError.self) { try device.store([1], 0) }
        try? device.close()
        var after = image.store.bytes
        #expect(after[79] & 2 != 0, "the corrupt bit")
        // That bit, and the autoclear bits, which went before the first change.
        after.replaceSubrange(72..<96, with: before[72..<96])
        let isUntouched = after == before
        #expect(isUntouched, "nothing else was written")
        let error = #expect(throws: BlockError.self) {
            _ = try QCOW2Image.open(storage: image.store, readOnly: false)
        }
        #expect(error?.code == .corrupt)
        // 3.21: a repair makes it good again.
        let report = try image.check(.all)
        let isClean = report.isClean
        #expect(isClean, "\(report.findings.prefix(4))")
        let again = try QCOW2Image.open(storage: image.store, readOnly: false)
        try again.store([1, 2, 3], offset)
        try again.close()
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }
}
