internal import BlockIO

/// Where everything lies that is neither guest data nor an L2 table, and whether any two of them overlap.
extension QCOW2Checker {
    func surveyStructures() throws(BlockError) {
        occupy(0, geometry.clusterSize, .header)
        if header.l1Entries > 0 { occupy(header.l1Offset, UInt64(header.l1Entries) * 8, .l1) }
        try surveyRefcounts()
        try surveySnapshots()
        if mode != .guardSnapshots { try surveyBitmaps() }
        structures.sort { $0.run.start < $1.run.start }
        var last: Structure?
        for structure in structures {
            if let previous = last, previous.run.end > structure.run.start {
                report.add(
                    .corruption, "a \(previous.kind.rawValue) and a \(structure.kind.rawValue) overlap",
                    offset: structure.run.start << UInt64(geometry.clusterBits))
                if previous.kind.isRefcount || structure.kind.isRefcount { needsRebuild = true }
                for one in [previous, structure] where one.kind == .refcountBlock {
                    doubtfulBlocks.insert(one.run.start << UInt64(geometry.clusterBits))
                }
            }
            if structure.run.end > last?.run.end ?? 0 { last = structure }
        }
    }

    /// False, with a finding, when the range reaches past the end of the file by a cluster or more.
    @discardableResult
    func occupy(_ offset: UInt64, _ bytes: UInt64, _ kind: Structure.Kind) -> Bool {
        if bytes == 0 { return true }
        guard let run = clusters(offset, bytes) else {
            report.add(.corruption, "a \(kind.rawValue) lies past the end of the file", offset: offset)
            return false
        }
        structures.append(Structure(run: run, kind: kind))
        return true
    }

    /// The clusters of a range, which is not empty; nil when it reaches past the end of the file by a cluster or more.
    func clusters(_ offset: UInt64, _ bytes: UInt64) -> ClusterRun? {
        let (end, overflow) = offset.addingReportingOverflow(bytes)
        guard !overflow, end <= fileSize || end - fileSize < geometry.clusterSize,
            geometry.clusters(end) <= fileClusters + 1
        else { return nil }
        let first = offset >> UInt64(geometry.clusterBits)
        return ClusterRun(start: first, count: geometry.clusters(end) - first)
    }

    private func surveyRefcounts() throws(BlockError) {
        let offset = header.refcountTableOffset
        let bytes = UInt64(header.refcountTableClusters) * geometry.clusterSize
        guard bytes > 0, bytes <= QCOW2Limits.refcountTableBytes, offset & geometry.clusterMask == 0, offset != 0,
            offset < fileSize, occupy(offset, bytes, .refcountTable)
        else {
            report.add(
                .corruption, "the refcount table is not aligned, not inside the file or too long", offset: offset)
            countProblems += 1
            needsRebuild = true
            return
        }
        refcountTable = try storage.words(at: offset, count: Int(bytes / 8))
        for index in refcountTable.indices where refcountTable[index] != 0 {
            let entry = refcountTable[index]
            if entry & QCOW2Entry.refcountReserved == 0, entry & geometry.clusterMask == 0, entry < fileSize {
                occupy(entry, geometry.clusterSize, .refcountBlock)
                if fileSize - entry < geometry.clusterSize { doubtfulBlocks.insert(entry) }
                continue
            }
            report.add(
                .corruption,
                "refcount block \(index) is not aligned or not inside the file, or its entry has reserved bits",
                offset: entry)
            countProblems += 1
            refcountTable[index] = 0
            needsRebuild = true
        }
    }
}
