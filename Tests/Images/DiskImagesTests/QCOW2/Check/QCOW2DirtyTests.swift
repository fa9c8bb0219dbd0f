import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// Lazy refcounts and images that were not closed cleanly.
@Suite struct QCOW2DirtyTests {
    private func lazyImage() throws -> StoreInMemory {
        let store = StoreInMemory()
        var options = CreateOptions(clusterSize: 4096)
        options.lazyRefcounts = true
        try QCOW2Image.create(storage: store, size: 4 << 20, options: options)
        return store
    }

    /// 3.22, 4.18: the bit that QEMU leaves after an abort.
    @Test("an image that qemu left dirty is counted anew when it is opened for writing (case 3.22)")
    func anImageThatQemuLeftDirtyIsCountedAnewWhenItIsOpenedForWriting() throws {
        let folder = try ScratchFolder("dirty")
        let path = folder.file("a.qcow2")
        try Tool.check(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on,cluster_size=4096", path, "8M"])
        _ = try Tool.run(
            "qemu-io", ["-f", "qcow2", "-c", "write -P 5 1M 300k", "-c", "flush", "-c", "abort", path])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(bytes[79] == 1, "dirty")
        // Reading changes nothing.
        let reader = StoreInMemory(bytes, readOnly: true)
        #expect(try QCOW2Image.open(storage: reader, readOnly: true).bytes(1 << 20, 4096).allSatisfy { $0 == 5 })
        let report = try ImageUnderKnife(bytes).check()
        #expect(report.corruptions > 0)
        #expect(try Tool.run("qemu-img", ["check", path]).status == 2)
        let leaks = try ImageUnderKnife(bytes)
        #expect(try leaks.check(.leaks).corruptions > 0)
        #expect(leaks.store.bytes[79] == 1)
        let all = try ImageUnderKnife(bytes)
        #expect(try all.check(.all).isClean)
        #expect(all.store.bytes[79] == 0)

        let store = StoreInMemory(bytes)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        #expect(try image.bytes(1 << 20, 300 << 10).allSatisfy { $0 == 5 })
        try image.store([1, 2, 3], 3 << 20)
        try image.close()
        #expect(store.bytes[79] == 0)
        try store.save(path)
        try qemuCheck(path)
    }

    /// 3.22, 4.18: the power fails again, while the image is put right.
    @Test(arguments: 1...4)
    func anAutomaticRepairThatIsCutShortIsDoneAgain(_ round: Int) throws {
        var random = SeededRandom.printed("\(#function) \(round)")
        let made = try lazyImage()
        let image = try QCOW2Image.open(storage: made, readOnly: false)
        for step in 1...4 * round {
            try image.store(
                [UInt8](repeating: UInt8(step), count: 30_000), Int.random(in: 0..<4_000_000, using: &random))
            if step % 5 == 2 { try image.createSnapshot(name: "s\(step)") }
            if step % 5 == 4 { try image.deleteSnapshot("s\(step - 2)") }
        }
        // Changes of snapshots write all counts; this one's stay in memory.
        try image.store([1, 2, 3], 4_100_000)
        try image.flush()
        let start = made.bytes
        #expect(start[79] == 1)
        #expect(try ImageUnderKnife(start).check().corruptions > 0)
        let store = StoreInMemory(start)
        store.recording = true
        let repaired = try QCOW2Image.open(storage: store, readOnly: false)
        let content = try repaired.bytes(0, 4 << 20)
        let events = store.events
        for cut in 0...events.count {
            let crashed = StoreInMemory(StoreInMemory.crashed(start, events[..<cut], &random))
            #expect(crashed.bytes[79] & 2 == 0, "marked as corrupt before event \(cut) of \(events.count)")
            let again = try QCOW2Image.open(storage: crashed, readOnly: false)
            let isEqual = try again.bytes(0, 4 << 20) == content
            #expect(isEqual, "before event \(cut) of \(events.count)")
            try again.close()
            let report = try ImageUnderKnife(crashed.bytes).check()
            #expect(report.isClean && crashed.bytes[79] == 0, "before event \(cut) of \(events.count)")
        }
    }

    @Test("refcounts are written when a lazy image is closed (case 4.18)")
    func refcountsAreWrittenWhenALazyImageIsClosed() throws {
        let store = try lazyImage()
        let header = try QCOW2Image.readHeader(store, fileSize: store.size())
        let block = try Int(store.words(at: header.refcountTableOffset, count: 1)[0])
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        store.recording = true
        func countWrites() -> Int {
            store.events.count {
                if case .write(let at, _) = $0 { (block..<block + 4096).contains(at) } else { false }
            }
        }
        try image.store([UInt8](repeating: 3, count: 100_000), 5000)
        guard case .write(let at, let bytes) = store.events.first, case .sync = store.events[1] else {
            Issue.record("the dirty bit comes first")
            return
        }
        #expect(at == 72 && bytes.last == 1)
        for step in 0..<5 {
            try image.store([UInt8](repeating: 4, count: 10_000), step * 500_000)
            try image.flush()
        }
        #expect(countWrites() == 0)
        // A crash here: everything flushed is there.
        let crashed = try QCOW2Image.open(storage: StoreInMemory(store.bytes), readOnly: false)
        #expect(try crashed.bytes(2_000_000, 10_000).allSatisfy { $0 == 4 })
        try image.close()
        #expect(countWrites() > 0)
        #expect(store.bytes[79] == 0)
        let isClean = try ImageUnderKnife(store.bytes).check().isClean
        #expect(isClean)
    }

    @Test func aLazyImageThatIsOnlyReadStaysAsItIs() throws {
        let store = try lazyImage()
        let before = store.bytes
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        _ = try image.bytes(0, 4096)
        try image.flush()
        try image.close()
        let isUntouched = store.bytes == before
        #expect(isUntouched)
    }

    @Test func aDirtyImageThatCannotBePutRightIsNotOpenedForWriting() throws {
        let folder = try ScratchFolder("dirty-broken")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        try image.set(image.header.snapshotsOffset, image.word(image.header.snapshotsOffset) + 512)
        try image.set(QCOW2Header.Offset.incompatible, 1)
        let error = #expect(throws: BlockError.self) {
            _ = try QCOW2Image.open(storage: image.store, readOnly: false)
        }
        #expect(error != nil)
    }

    enum Damage: CaseIterable, Sendable { case cutShort, unaligned, intoAStructure, lostTable, bitmap }

    /// What a repair would give up may still be found: whoever repairs is asked before.
    @Test("more than stale counts in a dirty image is repaired on purpose only (case 3.22)", arguments: Damage.allCases)
    func moreThanStaleCountsIsRepairedOnPurposeOnly(_ damage: Damage) throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 4 << 20, clusterBits: 12)
        let made = try QCOW2Image.open(storage: store, readOnly: false)
        try made.createBitmap(name: "marks", granularity: 4096)
        try made.store([UInt8](repeating: 7, count: 3 << 20), 0)
        try made.close()
        let image = try ImageUnderKnife(store.bytes)
        switch damage {
        case .cutShort: try image.store.truncate(to: image.store.size() - 256 << 10)
        case .unaligned: try image.set(image.data(), image.word(image.data()) + 512)
        case .intoAStructure: try image.set(image.data(), image.header.l1Offset | QCOW2Entry.copied)
        case .lostTable: try image.set(image.l1Place(0), 1 << 40 | QCOW2Entry.copied)
        case .bitmap:
            let directory = try QCOW2BitmapDirectory(image.header, QCOW2Geometry(image.header), image.store)
            try image.set(directory.entries[0].tableOffset, 1 << 40)
        }
        // Stale, too, as after any crash.
        try image.setCount(image.l2(1), 0)
        try image.set(QCOW2Header.Offset.incompatible, 1)
        let before = image.store.bytes
        let error = #expect(throws: BlockError.self) { try QCOW2Image.open(storage: image.store, readOnly: false) }
        #expect(error?.code == .corrupt)
        let isUntouched = image.store.bytes == before
        #expect(isUntouched)
        _ = try image.check(.all)
        try QCOW2Image.open(storage: image.store, readOnly: false).close()
        #expect(try image.check().isClean)
    }

    /// Counts follow from the rest, wherever they are stored.
    @Test func aLostRefcountBlockOfADirtyImageIsMadeAnew() throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 4 << 20, clusterBits: 12)
        let made = try QCOW2Image.open(storage: store, readOnly: false)
        try made.store([UInt8](repeating: 7, count: 3 << 20), 0)
        try made.close()
        let image = try ImageUnderKnife(store.bytes)
        try image.set(image.header.refcountTableOffset, 1 << 40)
        try image.set(QCOW2Header.Offset.incompatible, 1)
        let again = try QCOW2Image.open(storage: image.store, readOnly: false)
        #expect(try again.bytes(0, 3 << 20).allSatisfy { $0 == 7 })
        try again.close()
        #expect(try image.check().isClean)
    }
}
