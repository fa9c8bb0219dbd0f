import BlockIO
import CoreTypes
import Foundation
import TestSupport
import Testing

@testable import DiskImages

/// A repair that is cut short leaves an image that a repair puts right, with the data that was there.
@Suite struct QCOW2RepairCrashTests {
    @Test(arguments: QCOW2DamageTests.damages.filter { !$0.name.contains("unaligned L1 table") })
    func aRepairThatIsCutShortCanBeDoneAgain(_ damage: QCOW2DamageTests.Damage) throws {
        var random = SeededRandom.printed("\(#function) \(damage.name)")
        let folder = try ScratchFolder("repair-crash")
        let start = try ImageUnderKnife(damage.sample.make(folder))
        try damage.make(start)
        let image = try ImageUnderKnife(start.store.bytes)
        image.store.recording = true
        _ = try image.check(.all)
        let events = image.store.events
        let final = try content(image.store.bytes)
        for _ in 0..<6 {
            let cut = Int.random(in: 0...events.count, using: &random)
            let crashed = try ImageUnderKnife(
                StoreInMemory.crashed(start.store.bytes, events[..<cut], &random))
            // Nobody else writes to it meanwhile.
            let flags = crashed.store.bytes[79]
            if try crashed.check().corruptions > 0, damage.sample != .version2, cut > 2 {
                #expect(flags & 3 != 0, "cut before event \(cut) of \(events.count)")
            }
            let repaired = try crashed.check(.all)
            let isClean = repaired.isClean
            #expect(isClean, "cut before event \(cut) of \(events.count): \(repaired.findings.prefix(3))")
            let isEqual = try areSame(content(crashed.store.bytes), final)
            #expect(isEqual, "cut before event \(cut) of \(events.count)")
        }
    }

    /// All that the guest sees; nothing where this build cannot read it.
    private func content(_ bytes: [UInt8]) throws -> [UInt8]? {
        guard let image = try? QCOW2Image.open(storage: StoreInMemory(bytes, readOnly: true), readOnly: true) else {
            return nil
        }
        return try? image.bytes(0, Int(image.size))
    }

    /// 4.14: entries of the snapshot table that lack the disk's size are completed.
    @Test func shortSnapshotEntriesAreCompleted() throws {
        let folder = try ScratchFolder("repair-snapshots")
        let image = try ImageUnderKnife(QemuSample.rich.make(folder))
        // Takes the extra data from every entry.
        let records = try QCOW2SnapshotRecords(
            storage: image.store, offset: image.header.snapshotsOffset, count: Int(image.header.snapshotCount),
            fileSize: image.store.size())
        var table: [UInt8] = []
        for record in records.records {
            table += record.bytes[..<36] + [0, 0, 0, 0] + record.bytes[(40 + record.extraSize)...]
            table += [UInt8](repeating: 0, count: -table.count & 7)
        }
        try image.store.store(table, at: image.header.snapshotsOffset)
        let theirs = try image.qemu(folder)
        #expect(theirs.status == 2)
        #expect(try image.check().corruptions > 0)
        let repaired = try image.check(.all)
        let isClean = repaired.isClean
        #expect(isClean, "\(repaired.findings.prefix(5))")
        let verdict = try image.qemu(folder)
        #expect(verdict.status == 0, "\(verdict.output)\(verdict.errors)")
        let list = try Tool.check("qemu-img", ["snapshot", "-l", folder.file("knife.qcow2")])
        #expect(list.contains("first") && list.contains("second"))
    }

    @Test func aRepairThatIsCancelledChangesNothing() throws {
        let folder = try ScratchFolder("repair-cancel")
        let image = try ImageUnderKnife(QemuSample.plain.make(folder))
        try image.setCount(0, 0)
        let before = image.store.bytes
        let flag = CancellationFlag()
        flag.cancel()
        let error = #expect(throws: BlockError.self) {
            _ = try QCOW2Image.check(storage: image.store, repair: .all, policy: .standalone, cancellation: flag)
        }
        #expect(error?.code == .cancelled)
        let isUntouched = image.store.bytes == before
        #expect(isUntouched)
    }
}
