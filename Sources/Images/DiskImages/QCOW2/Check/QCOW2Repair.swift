internal import BlockIO
internal import CoreTypes

/// Puts a damaged image right, in an order that leaves it no worse whenever the power fails:
///
/// 1. With corruptions, the corrupt bit is set first (version 3): nobody writes to an image that is half repaired. An
///    image that is marked as dirty is not marked as corrupt: whoever writes to it puts its counts right first, without
///    being told to, or refuses it when more is left to repair. With the corrupt bit he would always refuse it, and a
///    power failure in a repair that ran by itself would need somebody's help.
/// 2. Bitmaps that are damaged, or lie where something else does, are removed: those that are left get a new directory
///    behind the end of the file, and the header switches to it, or it names none any more. What the removed ones
///    occupied is theirs no longer, and given back with the other leaks unless something else has it. The snapshot
///    table is completed, in new clusters; the header then switches to it. One that cannot be read, or not to its end, gets
///    those snapshots that could be, the others are lost. Without snapshots there is no table, whatever the header says of
///    its place.
///
///    Without an L1 table nothing is repaired: everything would be taken for a leak.
/// 3. Broken L1 and L2 entries, each where it is.
/// 4. Refcounts: too low ones, then too high ones. Where they cannot be put right in place, all of them are written
///    anew behind the end of the file, and one write in the header switches over.
/// 5. Copied bits.
/// 6. A last look, and only if it finds no corruption the dirty and corrupt bits go, after a barrier.
///
/// So a repair that was cut short at any moment leaves one of the two bits, and can be done again from the start: each
/// step either finds what it would have found before, or finds it done.
struct QCOW2Repair {
    let storage: any ImageStorage
    let choice: RepairChoice
    let cancellation: CancellationFlag

    /// - Parameter before: a finished examination of the image.
    func run(_ before: QCOW2Checker) throws(BlockError) -> CheckReport {
        if before.l1IsUnusable { return before.report }
        if before.report.isClean {
            try clearFlags(before.header)
            return before.report
        }
        if before.report.corruptions > 0 && choice == .all {
            try repairAll(before)
        } else if before.report.corruptions == before.copiedMismatches && !before.needsRebuild {
            // Nothing contradicts itself but, at worst, copied bits because of counts that are too high.
            if before.bitmapsNeedRepair { try repairBitmaps(before) }
            try correctCounts(mode: .look, raises: false)
            // Clusters whose count has come down to one belong to one alone again.
            try storage.sync()
            try QCOW2Checker(storage: storage, mode: .fixCopied, cancellation: cancellation).run()
        } else {
            var report = before.report
            report.add(.note, "leaks are given back only when there is no corruption: repair everything instead")
            return report
        }
        try storage.sync()
        let after = try QCOW2Checker(storage: storage, cancellation: cancellation)
        try after.run()
        if after.report.corruptions == 0 { try clearFlags(after.header) }
        return Self.combined(before.report, after.report)
    }

    private func repairAll(_ before: QCOW2Checker) throws(BlockError) {
        var plan = before
        if storage.isBlockDevice { try checkRoom(before) }
        if before.header.version >= 3, flags(before.header).isEmpty {
            try storeFlags(before.header.incompatible.union(.corrupt))
        }
        if plan.bitmapsNeedRepair {
            try repairBitmaps(plan)
            plan = try QCOW2Checker(storage: storage, cancellation: cancellation)
            try plan.run()
        }
        if plan.incompleteSnapshots > 0 || plan.snapshotTableIsStray || plan.snapshotTableIsUnusable {
            if plan.snapshotTableIsStray {
                try nameSnapshots(count: 0, at: 0)
            } else {
                try completeSnapshots(plan)
            }
            plan = try QCOW2Checker(storage: storage, cancellation: cancellation)
            try plan.run()
        }
        if plan.needsRebuild {
            let fix = try QCOW2Checker(storage: storage, mode: .fixEntries, cancellation: cancellation)
            try QCOW2RefcountRebuild(fix, plan: plan, free: plan.free).run()
        } else {
            try correctCounts(mode: .fixEntries, raises: true)
        }
        let copied = try QCOW2Checker(storage: storage, mode: .fixCopied, cancellation: cancellation)
        try copied.run()
    }

    /// Before anything is written on a device: what is half repaired is of less use than what is damaged.
    private func checkRoom(_ before: QCOW2Checker) throws(BlockError) {
        var tables: [[UInt8]] = []
        if before.bitmapsNeedRepair, let left = soundBitmaps(before) { tables.append(try left.encoded()) }
        if before.incompleteSnapshots > 0 || before.snapshotTableIsUnusable, let table = try completeTable(before) {
            tables.append(table.bytes)
        }
        var free = before.free
        var moved: Set<Int> = []
        for table in tables {
            let count = clusters(table, before)
            guard let start = free.take(count) else { throw before.noRoom() }
            for cluster in start..<start + count { moved.insert(Int(before.geometry.blockIndex(cluster: cluster))) }
        }
        // What has moved may be counted by no block.
        if before.needsRebuild || !tables.isEmpty {
            let checker = try QCOW2Checker(storage: storage, cancellation: cancellation)
            _ = try QCOW2RefcountRebuild(checker, plan: before, free: free, moved: moved)
        }
    }

    private func clusters(_ bytes: [UInt8], _ before: QCOW2Checker) -> UInt64 {
        before.geometry.clusters(UInt64(bytes.count))
    }

    /// Stores bytes in clusters of their own, durably: where.
    private func place(_ bytes: [UInt8], _ before: QCOW2Checker) throws(BlockError) -> UInt64 {
        let geometry = before.geometry
        let count = clusters(bytes, before)
        var free = before.free
        guard let start = free.take(count) else { throw before.noRoom() }
        let offset = start << UInt64(geometry.clusterBits)
        try storage.store(
            bytes + [UInt8](repeating: 0, count: Int(count * geometry.clusterSize) - bytes.count), at: offset)
        try storage.sync()
        return offset
    }

    private func correctCounts(mode: QCOW2Checker.Mode, raises: Bool) throws(BlockError) {
        let fix = try QCOW2Checker(storage: storage, mode: mode, cancellation: cancellation)
        try fix.run { (checker) throws(BlockError) in
            // Entries that were put right are durable before counts go down because of them.
            try storage.sync()
            try checker.correctCounts(raises: raises, lowers: !checker.keepsCounts)
        }
    }

    /// Writes the snapshot table anew with the disk's size in every entry, as far as it can be read.
    private func completeSnapshots(_ before: QCOW2Checker) throws(BlockError) {
        guard let table = try completeTable(before) else { return try nameSnapshots(count: 0, at: 0) }
        try nameSnapshots(count: UInt32(table.count), at: place(table.bytes, before))
    }

    /// That table, and how many snapshots it has; nil where there is none to be read.
    private func completeTable(_ before: QCOW2Checker) throws(BlockError) -> (count: Int, bytes: [UInt8])? {
        let header = before.header
        do throws(BlockError) {
            try header.checkSnapshotPlace(fileSize: before.fileSize)
        } catch { return nil }
        let old = try QCOW2SnapshotRecords(header, storage: storage, fileSize: before.fileSize)
        if old.records.isEmpty { return nil }
        var bytes: [UInt8] = []
        for record in old.records {
            var extra = Array(record.bytes[40..<40 + record.extraSize])
            if extra.count < 16 {
                var complete: [UInt8] = []
                complete.appendBigEndian(UInt64(BigEndianBytes(record.bytes).u32(32)))
                complete.appendBigEndian(header.size)
                extra += complete[extra.count...]
            }
            bytes += record.bytes[..<36]
            bytes.appendBigEndian(UInt32(extra.count))
            bytes += extra + record.bytes[(40 + record.extraSize)...]
            bytes += [UInt8](repeating: 0, count: -bytes.count & 7)
        }
        return (old.records.count, bytes)
    }

    private func nameSnapshots(count: UInt32, at offset: UInt64) throws(BlockError) {
        var fields: [UInt8] = []
        fields.appendBigEndian(count)
        fields.appendBigEndian(offset)
        try storage.store(fields, at: QCOW2Header.Offset.snapshots)
        try storage.sync()
    }

    /// Leaves the bitmaps that are sound, and none of those that are not.
    private func repairBitmaps(_ before: QCOW2Checker) throws(BlockError) {
        var header = try QCOW2Image.readHeader(storage, fileSize: try storage.size(), checksTables: false)
        if let left = soundBitmaps(before) {
            let bytes = try left.encoded()
            header.extensions.bitmapDirectory = (try place(bytes, before), UInt64(bytes.count))
            header.extensions.bitmapCount = UInt32(left.entries.count)
        } else {
            // One write of a few bytes makes the bitmaps nobody's, whatever the rewriting of the header comes to.
            var bytes: [UInt8] = []
            header.autoclear &= ~QCOW2Image.bitmapsAutoclear
            bytes.appendBigEndian(header.autoclear)
            try storage.store(bytes, at: QCOW2Header.Offset.autoclear)
            try storage.sync()
            header.extensions.bitmapDirectory = nil
            header.extensions.bitmapCount = 0
        }
        try header.rewrite(on: storage)
    }

    /// The directory without the bitmaps that are damaged; nil when none is left.
    private func soundBitmaps(_ before: QCOW2Checker) -> QCOW2BitmapDirectory? {
        var left = before.bitmapDirectory ?? QCOW2BitmapDirectory()
        left.entries = left.entries.enumerated().filter { !before.damagedBitmaps.contains($0.offset) }.map(\.element)
        return left.entries.isEmpty ? nil : left
    }

    private func flags(_ header: QCOW2Header) -> QCOW2Features {
        header.incompatible.intersection([.dirty, .corrupt])
    }

    private func clearFlags(_ header: QCOW2Header) throws(BlockError) {
        guard header.version >= 3, !flags(header).isEmpty else { return }
        try storage.sync()
        try storeFlags(header.incompatible.subtracting([.dirty, .corrupt]))
    }

    private func storeFlags(_ flags: QCOW2Features) throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(flags.rawValue)
        try storage.store(bytes, at: QCOW2Header.Offset.incompatible)
        try storage.sync()
    }

    /// What was found first and is still there, is not repaired; the rest is.
    private static func combined(_ before: CheckReport, _ after: CheckReport) -> CheckReport {
        var report = after
        report.corruptionsRepaired = before.corruptions - min(before.corruptions, after.corruptions)
        report.leaksRepaired = before.leaks - min(before.leaks, after.leaks)
        let remaining = Set(after.findings.map { "\($0.message) \($0.offset ?? 0)" })
        for finding in before.findings where !remaining.contains("\(finding.message) \(finding.offset ?? 0)") {
            report.noteRepaired(finding)
        }
        return report
    }
}

extension CheckReport {
    /// Adds a finding that is no more; the counts stay.
    fileprivate mutating func noteRepaired(_ finding: Finding) {
        let counts = (corruptionsRepaired, leaksRepaired)
        add(finding.severity, finding.message, offset: finding.offset, count: 0, isRepaired: true)
        (corruptionsRepaired, leaksRepaired) = counts
    }
}
