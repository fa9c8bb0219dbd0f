import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Tables without which others cannot be found.
@Suite struct QCOW2LostTablesTests {
    struct Loss: CustomTestStringConvertible, Sendable {
        let name: String
        /// Snapshots that are left, of two.
        var left = 0
        let make: @Sendable (ImageUnderKnife) throws -> Void
        var testDescription: String { name }
    }

    private func content(_ store: StoreInMemory) throws -> [UInt8] {
        let image = try QCOW2Image.open(storage: store, readOnly: true)
        return try image.bytes(0, Int(image.size))
    }

    @Test(
        "an unusable snapshot table is given up by a repair of everything (cases 3.7, 4.14)",
        arguments: [
            Loss(name: "past the end") { try $0.set(64, 1 << 40) },
            Loss(name: "unaligned") { try $0.set(64, $0.header.snapshotsOffset + 8) },
            Loss(name: "over the header") { try $0.set(64, 0) },
            Loss(name: "too many", left: 2) { try $0.store.store([0, 1, 0, 1], at: 60) },
            Loss(name: "one bit of the number", left: 2) { try $0.store.store([0x80, 0, 0, 2], at: 60) },
            Loss(name: "first entry with a wrong length of extra data", left: 1) {
                try $0.store.store([0, 0, 4, 1], at: $0.header.snapshotsOffset + 36)
            },
            Loss(name: "three too many", left: 2) { try $0.store.store([0, 0, 0, 5], at: 60) },
            Loss(name: "more than a cluster too many", left: 2) { try $0.store.store([0, 0, 4, 2], at: 60) },
            Loss(name: "as many as there can be", left: 2) { try $0.store.store([0, 1, 0, 0], at: 60) },
            Loss(name: "none at all in the table") { image in
                try image.store.store([UInt8](repeating: 0, count: 4096), at: image.header.snapshotsOffset)
            },
            Loss(name: "first entry empty", left: 1) { image in
                let records = try QCOW2SnapshotRecords(
                    storage: image.store, offset: image.header.snapshotsOffset, count: 1,
                    fileSize: image.store.size())
                try image.store.store(
                    [UInt8](repeating: 0, count: Int(records.length)), at: image.header.snapshotsOffset)
            },
            Loss(name: "second entry past the end", left: 1) { image in
                let records = try QCOW2SnapshotRecords(
                    storage: image.store, offset: image.header.snapshotsOffset, count: 1,
                    fileSize: image.store.size())
                try image.store.store(
                    [0xFF, 0xFF, 0xFF, 0xFF], at: image.header.snapshotsOffset + records.length + 36)
            },
        ])
    func anUnusableSnapshotTableIsGivenUp(_ loss: Loss) throws {
        let folder = try ScratchFolder("lost-snapshots")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        let shown = try content(image.store)
        try loss.make(image)
        let damaged = image.store.bytes
        for repair in [nil, .leaks] as [RepairChoice?] {
            let report = try image.check(repair)
            #expect(report.corruptions > 0 && report.corruptionsRepaired == 0)
            #expect(report.findings.contains { $0.message.contains("lost") }, "\(report.findings.prefix(5))")
            #expect(image.store.bytes == damaged)
        }
        let repaired = try image.check(.all)
        let isClean = repaired.isClean && repaired.corruptionsRepaired > 0
        #expect(isClean, "\(repaired.findings.prefix(5))")
        let header = try QCOW2Image.readHeader(image.store, fileSize: image.store.size())
        #expect(header.snapshotCount == loss.left)
        #expect(try QCOW2SnapshotTable(header, image.store).entries.count == loss.left)
        #expect(try content(image.store) == shown)
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    @Test("what a snapshot has is kept while nobody knows where its L1 table is (case 4.14)")
    func whatASnapshotHasIsKeptWithoutItsL1Table() throws {
        let folder = try ScratchFolder("unknown-snapshot")
        for place in [8, 1 << 40] as [UInt64] {
            let image = try ImageUnderKnife(QemuSample.rich.make(folder))
            let entry = image.header.snapshotsOffset
            let l1 = try image.word(entry)
            try image.set(entry, l1 + place)
            // Something else to repair.
            try image.setCount(image.header.l1Offset, 0)
            let repaired = try image.check(.all)
            #expect(repaired.corruptions > 0 && repaired.corruptionsRepaired > 0)
            try image.set(entry, l1)
            let report = try image.check()
            #expect(report.corruptions == 0 && report.leaks == 0, "\(report.findings.prefix(5))")
        }
    }

    /// Where the counts must be written anew: those that the old blocks have stay, and what none counts is nobody's alone.
    @Test(
        "what a snapshot without its L1 table has outlives a rebuild of the refcounts (case 4.14)",
        arguments: [false, true])
    func whatAnUnknownSnapshotHasOutlivesARebuild(_ losesBlock: Bool) throws {
        let folder = try ScratchFolder("unknown-rebuild")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        let shown = try content(image.store)
        func snapshot() throws -> [UInt8] {
            let open = try QCOW2Image.open(storage: image.store, readOnly: true)
            let view = try open.openSnapshot("first")
            return try view.bytes(0, Int(view.size))
        }
        let kept = try snapshot()
        let entry = image.header.snapshotsOffset
        let l1 = try image.word(entry)
        try image.set(entry, l1 + 8)
        // The first block cannot be found, or one that nothing needs.
        try image.set(image.header.refcountTableOffset + (losesBlock ? 0 : 8), 1)
        let table = image.header.refcountTableOffset
        let repaired = try image.check(.all)
        #expect(repaired.corruptions > 0 && repaired.corruptionsRepaired > 0)
        let rebuilt = try QCOW2Image.readHeader(image.store, fileSize: image.store.size())
        #expect(rebuilt.refcountTableOffset != table)
        // Somebody finds the table.
        try image.set(entry, l1)
        let report = try image.check()
        #expect(report.corruptions == 0, "\(report.findings.prefix(5))")
        let isKept = try snapshot() == kept
        #expect(isKept)
        let clean = try image.check(.leaks)
        let isClean = clean.isClean
        #expect(isClean, "\(clean.findings.prefix(5))")
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
        let isShown = try content(image.store) == shown
        #expect(isShown)
    }

    /// A table of which a part was lost; what follows it in the file is tables, not entries.
    @Test("what follows an empty part of the snapshot table is an entry or nothing (case 4.14)")
    func whatFollowsAnEmptyPartIsAnEntryOrNothing() throws {
        let folder = try ScratchFolder("gap-snapshots")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        let header = image.header
        let good = try QCOW2SnapshotRecords(header, storage: image.store, fileSize: image.store.size()).records
        func read(_ parts: [[UInt8]], count: Int) throws -> QCOW2SnapshotRecords {
            let table = parts.flatMap { $0 + [UInt8](repeating: 0, count: -$0.count & 7) }
            let start = try image.store.size().roundedUp(to: image.cluster) ?? 0
            let store = StoreInMemory(image.store.bytes)
            try store.store(table + [UInt8](repeating: 0, count: 8192 - table.count), at: start)
            return try QCOW2SnapshotRecords(
                storage: store, offset: start, count: count, fileSize: start + 8192, clusterSize: image.cluster)
        }
        let gap = [UInt8](repeating: 0, count: 88)
        let whole = try read([good[0].bytes, gap, good[1].bytes], count: 4)
        #expect(whole.records.map(\.bytes) == good.map(\.bytes) && whole.isShort && whole.problem == nil)
        // Entries of an L2 table, and of an L1 table.
        let l1 = try image.store.array(at: header.l1Offset, count: 64)
        let l2 = try image.store.array(at: image.l2(0), count: 64)
        for words in [l1, l2, [UInt8](repeating: 0xFF, count: 64)] {
            let found = try read([good[0].bytes, gap, words], count: 4)
            #expect(found.records.count == 1 && found.problem != nil)
        }
        let none = try read([gap], count: 3)
        #expect(none.records.isEmpty && none.isShort && none.problem == nil && none.length == 0)
    }

    /// Entries of a later version, each where the one before says: what is too much of them goes, and no snapshot.
    @Test("entries with much extra data are shortened, and no snapshot is lost (case 4.14)")
    func entriesWithMuchExtraDataAreShortened() throws {
        let folder = try ScratchFolder("long-snapshots")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        let before = try QCOW2SnapshotTable(image.header, image.store).entries
        let records = try QCOW2SnapshotRecords(image.header, storage: image.store, fileSize: image.store.size())
        var table: [UInt8] = []
        for record in records.records {
            table += record.bytes[..<36] + [0, 0, 4, 16] + record.bytes[40..<40 + record.extraSize]
            table += [UInt8](repeating: 0xEE, count: 1040 - record.extraSize)
            table += record.bytes[(40 + record.extraSize)...]
            table += [UInt8](repeating: 0, count: -table.count & 7)
        }
        #expect(table.count <= QemuSample.clusterSize)
        try image.store.store(table, at: image.header.snapshotsOffset)
        let found = try image.check()
        #expect(found.corruptions == 2 && !found.findings.contains { $0.message.contains("lost") })
        let repaired = try image.check(.all)
        let isClean = repaired.isClean
        #expect(isClean, "\(repaired.findings.prefix(5))")
        let header = try QCOW2Image.readHeader(image.store, fileSize: image.store.size())
        let after = try QCOW2SnapshotTable(header, image.store).entries
        #expect(after.map(\.name) == before.map(\.name) && after.map(\.l1Offset) == before.map(\.l1Offset))
        #expect(after.allSatisfy { $0.extra.count == 1024 && $0.extra.starts(with: before[0].extra.prefix(8)) })
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
    }

    /// A repair would take all data for leaks.
    @Test("without an L1 table everything is corrupt, and nothing is repaired (case 3.7)")
    func withoutAnL1TableNothingIsRepaired() throws {
        let folder = try ScratchFolder("lost-l1")
        for place in [0, 512, 1 << 40] as [UInt64] {
            let image = try ImageUnderKnife(QemuSample.plain.make(folder))
            try image.set(40, place)
            let damaged = image.store.bytes
            for repair in [nil, .leaks, .all] as [RepairChoice?] {
                let report = try image.check(repair)
                #expect(report.corruptions == 1 && report.leaks == 0 && report.corruptionsRepaired == 0)
                #expect(image.store.bytes == damaged)
            }
            #expect(code { _ = try QCOW2Image.open(storage: image.store, readOnly: true) } == .invalidImage)
        }
    }
}
