internal import BlockIO

/// The snapshot table, and the L1 tables that it names.
extension QCOW2Checker {
    func surveySnapshots() throws(BlockError) {
        guard header.snapshotCount > 0 else {
            // It means nothing, but qemu refuses such an image.
            if header.snapshotsOffset & geometry.clusterMask != 0 || header.snapshotsOffset > UInt64(Int64.max) {
                snapshotTableIsStray = true
                report.add(
                    .corruption, "the header names a place for a table of no snapshots that is none",
                    offset: header.snapshotsOffset)
            }
            return
        }
        if hasDataFile {
            report.add(.corruption, "\(header.snapshotCount) snapshots in an image whose data is in another file")
        }
        do throws(BlockError) {
            try header.checkSnapshotPlace(fileSize: fileSize)
        } catch {
            loseSnapshots(error.message, from: 0)
            return
        }
        let entries = try QCOW2SnapshotRecords(header, storage: storage, fileSize: fileSize)
        if let problem = entries.problem {
            loseSnapshots(problem, from: entries.records.count)
        } else if header.snapshotCount > QCOW2Limits.snapshots {
            snapshotTableIsUnusable = true
            report.add(
                .corruption,
                "\(header.snapshotCount) snapshots, of which \(QCOW2Limits.snapshots) is the most: "
                    + "\(entries.records.count) can be read, and a repair of everything keeps those; others are lost",
                offset: QCOW2Header.Offset.snapshots)
        }
        if entries.isShort, entries.problem == nil {
            snapshotTableIsUnusable = true
            report.add(
                .corruption,
                "\(header.snapshotCount) snapshots by the header, and \(entries.records.count) in their table, where others would be "
                    + "is nothing: if there were any they are lost, and a repair of everything gives up what they had",
                offset: QCOW2Header.Offset.snapshots)
        }
        occupy(header.snapshotsOffset, entries.length, .snapshotTable)
        var seen: [UInt64: Int] = [:]
        for (number, record) in entries.records.enumerated() {
            if record.extraSize < 16 && header.version >= 3 {
                incompleteSnapshots += 1
                report.add(
                    .corruption, "entry \(number) of the snapshot table lacks the disk's size",
                    offset: header.snapshotsOffset)
            }
            if record.extraSize < record.storedExtra {
                incompleteSnapshots += 1
                report.add(
                    .corruption,
                    "entry \(number) of the snapshot table has \(record.storedExtra) bytes of extra data: a repair of "
                        + "everything keeps the first \(record.extraSize), which is the most",
                    offset: header.snapshotsOffset)
            }
            guard record.l1Offset & geometry.clusterMask == 0, record.l1Entries * 8 <= QCOW2Limits.l1Bytes,
                record.l1Entries == 0 || record.l1Offset != 0
            else {
                unknownSnapshots += 1
                report.add(
                    .corruption,
                    "the L1 table of snapshot \(number) is not aligned or too long; what it has stays in use, and is no leak",
                    offset: record.l1Offset)
                continue
            }
            guard occupy(record.l1Offset, record.l1Entries * 8, .snapshotL1) else {
                unknownSnapshots += 1
                continue
            }
            if record.l1Entries == 0 { continue }
            if let index = seen[record.l1Offset], snapshotL1s[index].entries == record.l1Entries {
                snapshotL1s[index].weight += 1
            } else {
                seen[record.l1Offset] = snapshotL1s.count
                snapshotL1s.append((record.l1Offset, record.l1Entries, 1))
            }
        }
    }

    private func loseSnapshots(_ problem: String, from first: Int) {
        snapshotTableIsUnusable = true
        let lost = Int(header.snapshotCount) - first
        report.add(
            .corruption,
            "\(problem): \(lost == 1 ? "1 snapshot is" : "\(lost) snapshots are") lost, and a repair of everything gives up "
                + "what \(lost == 1 ? "it has" : "they have")", offset: header.snapshotsOffset)
    }

    /// Counts what the snapshots' L1 tables refer to: tables that several of them name are read once.
    func walkSnapshots() throws(BlockError) {
        var tables: [Table] = []
        // Honest tables do not share clusters, so all of them together are no longer than the file.
        var budget = max(fileSize, 64 << 20)
        for (offset, entries, weight) in snapshotL1s {
            guard entries * 8 <= budget else {
                if isFirstPass { report.add(.corruption, "L1 tables of snapshots overlap", offset: offset) }
                break
            }
            budget -= entries * 8
            var index: UInt64 = 0
            while index < entries {
                try checkCancelled()
                let count = min(entries - index, 65536)
                let at = offset + index * 8
                // As many as 65536 tables of 32 MiB may lie in one long hole of a file that is nobody's friend.
                if let run = try? storage.run(at: at, end: offset + entries * 8), !run.isData, run.end >= at + count * 8
                {
                    index = min(entries, (run.end - offset) / 8)
                    continue
                }
                let part = try storage.words(at: at, count: Int(count))
                for (number, entry) in part.enumerated() where entry != 0 {
                    let fixed = try examineL1(entry, at: at + UInt64(number) * 8)
                    let host = fixed & QCOW2Entry.offsetMask
                    if host != 0 { tables.append(Table(offset: host, weight: weight)) }
                }
                index += count
                if tables.count >= 1 << 21 {
                    Self.join(&tables)
                    if tables.count >= 1 << 20 { try walkInactive(&tables) }
                }
            }
        }
        Self.join(&tables)
        try walkInactive(&tables)
    }

    private func walkInactive(_ tables: inout [Table]) throws(BlockError) {
        for table in tables {
            note(table)
            if mode == .guardSnapshots { window.setKept(table.offset >> UInt64(geometry.clusterBits)) }
        }
        try walk(tables, isActive: false)
        tables.removeAll()
    }
}
