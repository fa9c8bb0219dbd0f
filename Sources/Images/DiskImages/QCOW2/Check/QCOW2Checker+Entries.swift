internal import BlockIO

/// L2 entries that are not plain data: each is judged, put right if that was asked for, and counted as it is then.
extension QCOW2Checker {
    /// `index`: of the entry's first word in its table.
    func examine(
        _ entry: UInt64, _ bitmap: UInt64, _ table: Table, _ index: Int, _ isActive: Bool
    ) throws(BlockError) {
        var fixed = (entry: entry, bitmap: bitmap)
        let problem =
            entry & QCOW2Entry.compressed != 0 ? judgeCompressed(&fixed) : judgeStandard(&fixed)
        if let problem, isFirstPass || isAboutWindow(entry) {
            report.add(
                .corruption, problem, offset: table.offset + UInt64(index) * 8, count: table.weight)
            if mode == .fixEntries, fixed != (entry, bitmap) {
                try writeWord(fixed.entry, at: table.offset + UInt64(index) * 8)
                if isExtended { try writeWord(fixed.bitmap, at: table.offset + UInt64(index + 1) * 8) }
            }
        }
        try count(fixed.entry, table, index, isActive)
    }

    /// In later passes only what points into a structure in this window is news.
    private func isAboutWindow(_ entry: UInt64) -> Bool {
        entry & QCOW2Entry.compressed == 0
            && window.isStructure((entry & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits))
    }

    /// Reads as zeroes, and refers to nothing.
    private func clear(_ fixed: inout (entry: UInt64, bitmap: UInt64)) {
        if isExtended {
            fixed = (0, 0xFFFF_FFFF_0000_0000)
        } else {
            fixed = (geometry.version >= 3 ? QCOW2Entry.zero : 0, 0)
        }
    }

    private func judgeCompressed(_ fixed: inout (entry: UInt64, bitmap: UInt64)) -> String? {
        if hasDataFile {
            clear(&fixed)
            return "a compressed cluster in an image whose data is in another file"
        }
        let blob = compressedRange(fixed.entry)
        if blob.end > fileSize && blob.end - fileSize >= geometry.clusterSize || blob.start == 0 {
            clear(&fixed)
            return "a compressed cluster lies past the end of the file; its data is lost"
        }
        if fixed.bitmap != 0 {
            fixed.bitmap = 0
            return "a compressed cluster has subcluster bits"
        }
        if fixed.entry & QCOW2Entry.copied != 0 {
            fixed.entry &= ~QCOW2Entry.copied
            return "a compressed cluster has the copied flag"
        }
        return nil
    }

    /// Host bytes that a compressed cluster may occupy.
    private func compressedRange(_ entry: UInt64) -> (start: UInt64, end: UInt64) {
        let bits = UInt64(62 - (geometry.clusterBits - 8))
        let start = entry & ((1 << bits) - 1) & 0x00FF_FFFF_FFFF_FFFF
        let sectors = (entry & (QCOW2Entry.compressed - 1)) >> bits + 1
        return (start, (start & ~511) + sectors * 512)
    }

    private func judgeStandard(_ fixed: inout (entry: UInt64, bitmap: UInt64)) -> String? {
        let entry = fixed.entry
        let host = entry & QCOW2Entry.offsetMask
        let isZero = entry & QCOW2Entry.zero != 0
        if entry & QCOW2Entry.l2Reserved != 0 {
            fixed.entry &= ~QCOW2Entry.l2Reserved
            _ = judgeStandard(&fixed)
            return "an L2 entry has reserved bits"
        }
        if isZero && (geometry.version < 3 || isExtended) {
            if isExtended {
                fixed.entry &= ~QCOW2Entry.zero
                _ = judgeStandard(&fixed)
            } else if header.backingName == nil {
                fixed.entry = 0
            }
            return "an L2 entry has the zero flag, which this image cannot have"
        }
        if isExtended, let problem = judgeSubclusters(&fixed, host) { return problem }
        if host == 0 {
            if entry & QCOW2Entry.copied != 0 && !hasDataFile {
                fixed.entry &= ~QCOW2Entry.copied
                return "an L2 entry without a cluster has the copied flag"
            }
            return nil
        }
        if host & geometry.clusterMask != 0 {
            clear(&fixed)
            return isZero
                ? "a preallocated cluster is not aligned" : "a data cluster is not aligned; its data is lost"
        }
        if hasDataFile { return nil }
        if host >= fileSize {
            clear(&fixed)
            return "a data cluster lies past the end of the file; its data is lost"
        }
        if window.isStructure(host >> UInt64(geometry.clusterBits)) {
            clear(&fixed)
            return "an L2 entry points to a structure of the image; its data is lost"
        }
        return nil
    }

    private func judgeSubclusters(_ fixed: inout (entry: UInt64, bitmap: UInt64), _ host: UInt64) -> String? {
        let allocated = fixed.bitmap & 0xFFFF_FFFF
        let zero = fixed.bitmap >> 32
        if host == 0 && fixed.entry & QCOW2Entry.copied == 0 && allocated != 0 {
            fixed.bitmap = (zero | allocated) << 32
            return "a cluster that is not allocated has allocated subclusters; they read as zeroes"
        }
        if allocated & zero != 0 {
            fixed.bitmap &= ~(allocated & zero)
            return "subclusters are allocated and zero at once; they read as zeroes"
        }
        return nil
    }

    /// Counts what a legal entry refers to.
    private func count(_ entry: UInt64, _ table: Table, _ index: Int, _ isActive: Bool) throws(BlockError) {
        let bits = UInt64(geometry.clusterBits)
        let takesStatistics = isActive && isFirstPass
        let keeps = !isActive && mode == .guardSnapshots
        if entry & QCOW2Entry.compressed != 0 {
            let blob = compressedRange(entry)
            for cluster in blob.start >> bits...(blob.end - 1) >> bits {
                window.add(cluster, table.weight)
                if keeps { window.setKept(cluster) }
            }
            if takesStatistics {
                report.allocatedClusters += table.weight
                report.compressedClusters += table.weight
                // Neighbours share sectors, which are read once for each of them.
                report.fragmentedClusters += table.weight
            }
            return
        }
        let host = entry & QCOW2Entry.offsetMask
        guard host != 0 || (hasDataFile && entry & QCOW2Entry.copied != 0) else { return }
        if takesStatistics {
            report.allocatedClusters += table.weight
            if expectedHost != 0 && expectedHost != host { report.fragmentedClusters += table.weight }
            expectedHost = host + geometry.clusterSize
        }
        let cluster = host >> bits
        if !hasDataFile { window.add(cluster, table.weight) }
        if keeps { window.setKept(cluster) }
        if isActive && mode != .fixEntries {
            let isCopied = entry & QCOW2Entry.copied != 0
            if hasDataFile ? isFirstPass && !isCopied : window.contains(cluster) && window.isOnce(cluster) != isCopied {
                try copiedMismatch(entry, table, index)
            }
        }
    }

    /// The copied bit of an L2 entry contradicts the stored refcount.
    func copiedMismatch(_ entry: UInt64, _ table: Table, _ index: Int) throws(BlockError) {
        report.add(
            .corruption,
            "the copied flag of an L2 entry is \(entry & QCOW2Entry.copied != 0 ? "set" : "clear"), and contradicts its"
                + " cluster's refcount",
            offset: entry & QCOW2Entry.offsetMask, count: table.weight)
        copiedMismatches += table.weight
        if mode == .fixCopied {
            try writeWord(entry ^ QCOW2Entry.copied, at: table.offset + UInt64(index) * 8)
        }
    }

    /// The copied bits of the active L1 table, for tables in the window.
    func compareCopiedBitsOfL1() throws(BlockError) {
        for index in l1.indices where l1[index] != 0 {
            let cluster = (l1[index] & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)
            guard window.contains(cluster), window.isOnce(cluster) != (l1[index] & QCOW2Entry.copied != 0) else {
                continue
            }
            report.add(
                .corruption,
                "the copied flag of L1 entry \(index) is \(l1[index] & QCOW2Entry.copied != 0 ? "set" : "clear"), and"
                    + " contradicts its table's refcount",
                offset: cluster << UInt64(geometry.clusterBits))
            copiedMismatches += 1
            if mode == .fixCopied {
                try writeWord(l1[index] ^ QCOW2Entry.copied, at: header.l1Offset + UInt64(index) * 8)
            }
        }
    }
}
