internal import BlockIO

/// L1 entries, and the walk over L2 tables.
extension QCOW2Checker {
    /// Reads the active L1 table; returns the L2 tables it names, in the order of the file, each once.
    func surveyActiveTables() throws(BlockError) -> [Table] {
        l1 = header.l1Entries == 0 ? [] : try storage.words(at: header.l1Offset, count: Int(header.l1Entries))
        var tables: [Table] = []
        for index in l1.indices where l1[index] != 0 {
            l1[index] = try examineL1(l1[index], at: header.l1Offset + UInt64(index) * 8)
            let host = l1[index] & QCOW2Entry.offsetMask
            if host != 0 { tables.append(Table(offset: host, weight: 1)) }
        }
        Self.join(&tables)
        return tables
    }

    /// The entry as it can be used: without what is broken in it, 0 when it names no table.
    func examineL1(_ entry: UInt64, at place: UInt64) throws(BlockError) -> UInt64 {
        let host = entry & QCOW2Entry.offsetMask
        var fixed = entry & ~QCOW2Entry.l1Reserved
        let problem: String
        if host & geometry.clusterMask != 0 || host >= fileSize || (host == 0 && entry != 0) {
            problem = "an L1 entry names no L2 table: it is not aligned or not inside the file"
            fixed = 0
        } else if let other = structure(at: host >> UInt64(geometry.clusterBits)) {
            problem = "an L2 table lies where a \(other.rawValue) is"
            fixed = 0
        } else if fixed != entry {
            problem = "an L1 entry has reserved bits"
        } else {
            return entry
        }
        if isFirstPass {
            report.add(.corruption, problem, offset: host)
            if mode == .fixEntries { try writeWord(fixed, at: place) }
        }
        return fixed
    }

    /// What lies in a cluster, other than data and L2 tables.
    private func structure(at cluster: UInt64) -> Structure.Kind? {
        var low = 0
        var high = structures.count
        while low < high {
            let middle = (low + high) / 2
            if structures[middle].run.start <= cluster { low = middle + 1 } else { high = middle }
        }
        // Structures that overlap are few, and reported as such: the nearest ones are looked at.
        for index in stride(from: low - 1, through: max(0, low - 4), by: -1) where index >= 0 {
            if structures[index].run.end > cluster { return structures[index].kind }
        }
        return nil
    }

    /// Sorts tables by offset and joins those that are the same.
    static func join(_ tables: inout [Table]) {
        tables.sort { $0.offset < $1.offset }
        var count = 0
        for table in tables {
            if count > 0, tables[count - 1].offset == table.offset {
                tables[count - 1].weight += table.weight
            } else {
                tables[count] = table
                count += 1
            }
        }
        tables.removeLast(tables.count - count)
    }

    func writeWord(_ word: UInt64, at offset: UInt64) throws(BlockError) {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(word)
        try storage.store(bytes, at: offset)
    }

    /// Examines tables, which are in the order of the file, and counts what they refer to.
    func walk(_ tables: [Table], isActive: Bool) throws(BlockError) {
        let size = geometry.clusterSize
        let room = unsafe UInt64(buffer.bytes.count)
        var first = 0
        while first < tables.count {
            try checkCancelled()
            let start = tables[first].offset
            var end = start + size
            var last = first + 1
            while last < tables.count, tables[last].offset - end <= 32768,
                tables[last].offset + size - start <= room
            {
                end = tables[last].offset + size
                last += 1
            }
            let count = Int(end - start)
            // SAFETY: the batch fits the buffer, as the loop above and the buffer's size of a cluster at least say.
            let batch = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<count])
            if try !isHole(start, end) {
                try unsafe storage.read(into: batch, at: start)
                for index in first..<last {
                    let at = Int(tables[index].offset - start)
                    let bytes = unsafe UnsafeRawBufferPointer(rebasing: batch[at..<at + Int(size)])
                    unsafe try walk(bytes, tables[index], isActive)
                }
            }
            first = last
        }
    }

    private func isHole(_ start: UInt64, _ end: UInt64) throws(BlockError) -> Bool {
        guard skipsHoles else { return false }
        let run = try storage.run(at: start, end: end)
        return !run.isData && run.end >= end
    }

    private func walk(_ bytes: UnsafeRawBufferPointer, _ table: Table, _ isActive: Bool) throws(BlockError) {
        expectedHost = 0
        let words = unsafe bytes.assumingMemoryBound(to: UInt64.self)
        // SAFETY (here and below): a table is a whole number of groups of 8 words (a cluster has 64 at least), and
        // indexes are below its count.
        guard let base = words.baseAddress else { return }
        let count = words.count
        if isExtended || hasDataFile {
            var index = 0
            let step = isExtended ? 2 : 1
            while index < count {
                let entry = unsafe UInt64(bigEndian: base[index])
                let bitmap = isExtended ? unsafe UInt64(bigEndian: base[index + 1]) : 0
                if entry | bitmap != 0 { try examine(entry, bitmap, table, index, isActive) }
                index += step
            }
            return
        }
        let bits = UInt64(geometry.clusterBits)
        let notPlain =
            QCOW2Entry.compressed | QCOW2Entry.l2Reserved | QCOW2Entry.zero
            | (geometry.clusterMask & QCOW2Entry.offsetMask)
        let end = fileSize
        let comparesCopied = isActive && mode != .fixEntries
        let takesStatistics = isActive && isFirstPass
        let keeps = !isActive && mode == .guardSnapshots
        var allocated: UInt64 = 0
        var fragmented: UInt64 = 0
        var group = 0
        while group < count {
            let low = unsafe base[group] | base[group + 1] | base[group + 2] | base[group + 3]
            let high = unsafe base[group + 4] | base[group + 5] | base[group + 6] | base[group + 7]
            if low | high == 0 {
                group += 8
                continue
            }
            for index in group..<group + 8 {
                let entry = unsafe UInt64(bigEndian: base[index])
                if entry == 0 { continue }
                let host = entry & QCOW2Entry.offsetMask
                let cluster = host >> bits
                guard entry & notPlain == 0, host != 0, host < end, !window.isStructure(cluster) else {
                    try examine(entry, 0, table, index, isActive)
                    continue
                }
                window.add(cluster, table.weight)
                if keeps { window.setKept(cluster) }
                if takesStatistics {
                    allocated += 1
                    if expectedHost != 0 && expectedHost != host { fragmented += 1 }
                    expectedHost = host + (1 << bits)
                }
                if comparesCopied, window.contains(cluster),
                    window.isOnce(cluster) != (entry & QCOW2Entry.copied != 0)
                {
                    try copiedMismatch(entry, table, index)
                }
            }
            group += 8
        }
        report.allocatedClusters += allocated * table.weight
        report.fragmentedClusters += fragmented * table.weight
    }
}
