internal import BlockIO

/// Where everything lies that is neither guest data nor an L2 table, and whether any two of them overlap.
extension QCOW2Checker {
    func surveyStructures() throws(BlockError) {
        occupy(0, geometry.clusterSize, .header)
        if header.l1Entries > 0 { occupy(header.l1Offset, UInt64(header.l1Entries) * 8, .l1) }
        try surveyRefcounts()
        try surveySnapshots()
        try surveyBitmaps()
        structures.sort { $0.run.start < $1.run.start }
        var last: Structure?
        for structure in structures {
            if let previous = last, previous.run.end > structure.run.start {
                report.add(
                    .corruption, "a \(previous.kind.rawValue) and a \(structure.kind.rawValue) overlap",
                    offset: structure.run.start << UInt64(geometry.clusterBits))
                if previous.kind.isRefcount || structure.kind.isRefcount { needsRebuild = true }
            }
            if structure.run.end > last?.run.end ?? 0 { last = structure }
        }
    }

    /// False, with a finding, when the range reaches past the end of the file by a cluster or more.
    @discardableResult
    func occupy(_ offset: UInt64, _ bytes: UInt64, _ kind: Structure.Kind) -> Bool {
        if bytes == 0 { return true }
        let (end, overflow) = offset.addingReportingOverflow(bytes)
        guard !overflow, end <= fileSize || end - fileSize < geometry.clusterSize,
            geometry.clusters(end) <= fileClusters + 1
        else {
            report.add(.corruption, "a \(kind.rawValue) lies past the end of the file", offset: offset)
            return false
        }
        let first = offset >> UInt64(geometry.clusterBits)
        structures.append(Structure(run: ClusterRun(start: first, count: geometry.clusters(end) - first), kind: kind))
        return true
    }

    private func surveyRefcounts() throws(BlockError) {
        let offset = header.refcountTableOffset
        let bytes = UInt64(header.refcountTableClusters) * geometry.clusterSize
        guard bytes > 0, bytes <= QCOW2Limits.refcountTableBytes, offset & geometry.clusterMask == 0, offset != 0,
            offset < fileSize, occupy(offset, bytes, .refcountTable)
        else {
            report.add(
                .corruption, "the refcount table is not aligned, not inside the file or too long", offset: offset)
            needsRebuild = true
            return
        }
        refcountTable = try storage.words(at: offset, count: Int(bytes / 8))
        for index in refcountTable.indices where refcountTable[index] != 0 {
            let entry = refcountTable[index]
            if entry & QCOW2Entry.refcountReserved == 0, entry & geometry.clusterMask == 0, entry < fileSize {
                occupy(entry, geometry.clusterSize, .refcountBlock)
                continue
            }
            report.add(
                .corruption,
                "refcount block \(index) is not aligned or not inside the file, or its entry has reserved bits",
                offset: entry)
            refcountTable[index] = 0
            needsRebuild = true
        }
    }

    /// Bitmaps count when the image says that they are valid; otherwise nobody uses them.
    private func surveyBitmaps() throws(BlockError) {
        guard header.version >= 3, header.autoclear & 1 != 0, let (offset, length) = header.extensions.bitmapDirectory
        else { return }
        guard length > 0, length <= QCOW2Limits.bitmapDirectoryBytes, offset & geometry.clusterMask == 0, offset != 0,
            occupy(offset, length, .bitmapDirectory)
        else {
            report.add(
                .corruption, "the bitmap directory is not aligned, not inside the file or too long", offset: offset)
            bitmapsAreLost = true
            return
        }
        let data = BigEndianBytes(try storage.array(at: offset, count: Int(length)))
        var position = 0
        while position < Int(length) {
            let nameLength = Int(data.u16(position + 18))
            let extra = Int(data.u32(position + 20))
            let end = (position + 24 + extra + nameLength + 7) & ~7
            guard end <= Int(length) else {
                report.add(.corruption, "an entry of the bitmap directory reaches past its end", offset: offset)
                return
            }
            try surveyBitmap(table: data.u64(position), entries: UInt64(data.u32(position + 8)))
            position = end
        }
    }

    private func surveyBitmap(table: UInt64, entries: UInt64) throws(BlockError) {
        // A bitmap has at most 2^63 / 2^9 bits in clusters of 512 bytes, but its table is limited like QEMU's.
        guard entries > 0, entries <= 0x800_0000, table & geometry.clusterMask == 0, table != 0,
            occupy(table, entries * 8, .bitmapTable)
        else {
            report.add(.corruption, "a bitmap table is not aligned, not inside the file or too long", offset: table)
            return
        }
        var index: UInt64 = 0
        while index < entries {
            try checkCancelled()
            let count = min(entries - index, 65536)
            for entry in try storage.words(at: table + index * 8, count: Int(count)) where entry != 0 {
                let host = entry & QCOW2Entry.offsetMask
                if host == 0, entry == 1 { continue }
                if entry & ~QCOW2Entry.offsetMask != 0 || host & geometry.clusterMask != 0 || host == 0 {
                    report.add(.corruption, "an entry of a bitmap table is not legal", offset: table)
                } else if structures.count < 1 << 21 {
                    occupy(host, geometry.clusterSize, .bitmapData)
                } else {
                    throw BlockError(.limitExceeded, "the image's bitmaps are too large to be checked")
                }
            }
            index += count
        }
    }
}
