import BlockIO
import CoreTypes
import Foundation
import Glibc
import TestSupport
import Testing

@testable import DiskImages

/// 4.20: an allocating write whose data, or whose metadata in the flush that follows, do not get to the file.
@Suite struct QCOW2FailingWriteTests {
    enum Target: CaseIterable, Sendable { case refcountBlock, refcountTable, l2, l1, data }

    /// What a write to a range of the file is for, while the image has its metadata lock.
    private func target(of range: Range<Int>, _ image: QCOW2Image) -> Target? {
        let cluster = Int(image.geometry.clusterSize)
        let offset = UInt64(range.lowerBound / cluster * cluster)
        guard let refcounts = image.pending?.refcounts else { return nil }
        if offset == 0 { return nil }
        if (Int(image.l1.offset)..<Int(image.l1.offset) + image.l1.count * 8).overlaps(range) { return .l1 }
        let table = Int(refcounts.tableOffset)
        if (table..<table + Int(refcounts.tableClusters) * cluster).overlaps(range) { return .refcountTable }
        if refcounts.table.contains(offset) { return .refcountBlock }
        if (0..<image.l1.count).contains(where: { image.l1[$0] & QCOW2Entry.offsetMask == offset }) { return .l2 }
        return .data
    }

    @Test(arguments: Target.allCases, [ENOSPC, EIO])
    func _4_20_anAllocatingWriteThatFailsIsAnErrorAndLeaksNoMoreThanItself(_ target: Target, _ code: Int32) throws {
        let size = 1 << 20
        let store = StoreInMemory()
        // A refcount block for every 64 clusters, an L2 table for every 64 clusters: the write needs new ones of both.
        try QCOW2Image.create(storage: store, size: UInt64(size), clusterBits: 9, refcountOrder: 6)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let old = [UInt8](repeating: 1, count: 20_000)
        try image.store(old, 3000)
        try image.flush()

        var refused = 0
        store.refuses = { range in
            guard self.target(of: range, image) == target else { return nil }
            refused += 1
            return code
        }
        let new = [UInt8](repeating: 2, count: 100_000)
        var failures: [BlockError] = []
        for work in [{ try image.store(new, 300_000) }, { try image.flush() }] {
            do { try work() } catch let error as BlockError { failures.append(error) }
        }
        #expect(refused > 0 && !failures.isEmpty)
        #expect(failures.allSatisfy { $0.code == (code == ENOSPC ? .noSpace : .io) })
        // What was there is there, and reading goes on.
        let isKept = try image.bytes(3000, old.count) == old
        #expect(isKept)

        store.refuses = nil
        let later = [UInt8](repeating: 3, count: 50_000)
        try image.store(later, 700_000)
        try image.store(new, 300_000)
        try image.flush()
        try image.close()
        let report = try ImageUnderKnife(store.bytes).check()
        #expect(report.corruptions == 0, "\(report.findings.prefix(3))")
        // The clusters of the write that failed, with their tables.
        #expect(report.leaks <= 100_000 / 512 + 8, "\(report.leaks)")
        let again = try QCOW2Image.open(storage: store, readOnly: true)
        let isWhole = try again.bytes(300_000, new.count) == new && again.bytes(700_000, later.count) == later
        #expect(isWhole)
        let isStill = try again.bytes(3000, old.count) == old
        #expect(isStill)
    }

    /// After a barrier that failed nobody knows what is durable, so every later one fails too; what is in the file opens.
    @Test(arguments: 0..<4)
    func _4_20_aFlushThatFailsIsAnErrorForEverAndTheImageStaysSound(_ syncs: Int) throws {
        let store = StoreInMemory()
        try QCOW2Image.create(storage: store, size: 1 << 20, clusterBits: 9, refcountOrder: 6)
        let image = try QCOW2Image.open(storage: store, readOnly: false)
        let old = [UInt8](repeating: 1, count: 20_000)
        try image.store(old, 3000)
        try image.flush()
        store.syncsLeft = syncs
        try image.store([UInt8](repeating: 2, count: 100_000), 300_000)
        var failures = 0
        for _ in 0..<4 { do { try image.flush() } catch { failures += 1 } }
        #expect(failures > 0)
        let isKept = try image.bytes(3000, old.count) == old
        #expect(isKept)
        do {
            try image.close()
            Issue.record("closing succeeded after a barrier had failed")
        } catch { #expect(error.code == .io) }

        store.syncsLeft = nil
        let report = try ImageUnderKnife(store.bytes).check()
        #expect(report.corruptions == 0, "\(report.findings.prefix(3))")
        #expect(report.leaks <= 100_000 / 512 + 8, "\(report.leaks)")
        let again = try QCOW2Image.open(storage: store, readOnly: false)
        let isStill = try again.bytes(3000, old.count) == old
        #expect(isStill)
        try again.store([3], 0)
        try again.close()
    }
}
