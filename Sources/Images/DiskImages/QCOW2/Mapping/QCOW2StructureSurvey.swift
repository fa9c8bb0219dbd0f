internal import BlockIO

/// Collects which clusters the image's own structures occupy, when it is opened for writing: no guest data may be
/// written to them, whatever an L2 entry says. Two structures in one cluster make the image corrupt; an L2 table that
/// collides is only noted, because the rest of the disk may be sound.
struct QCOW2StructureSurvey {
    let geometry: QCOW2Geometry
    let fileEnd: UInt64
    private(set) var structures: Set<UInt64> = [0]
    private(set) var contested: Set<UInt64> = []

    init(geometry: QCOW2Geometry, fileEnd: UInt64) {
        self.geometry = geometry
        self.fileEnd = fileEnd
    }

    /// Reads the refcount table and returns it, in host order.
    mutating func examine(
        _ header: QCOW2Header, _ storage: any ImageStorage, l1: [UInt64]
    ) throws(BlockError) -> [UInt64] {
        let tableBytes = UInt64(header.refcountTableClusters) * geometry.clusterSize
        try occupy(header.refcountTableOffset, tableBytes, "refcount table")
        try occupy(header.l1Offset, UInt64(header.l1Entries) * 8, "L1 table")
        let table = try storage.words(at: header.refcountTableOffset, count: Int(tableBytes / 8))
        for entry in table where entry != 0 {
            guard entry & QCOW2Entry.refcountReserved == 0, entry & geometry.clusterMask == 0,
                entry < fileEnd, entry < QCOW2Limits.hostEnd
            else {
                throw BlockError(
                    .corrupt, "a refcount block is not aligned or not inside the file; run qemu-img check -r all",
                    offset: entry)
            }
            try occupy(entry, geometry.clusterSize, "refcount block")
        }
        for entry in l1 where entry != 0 {
            let cluster = (entry & QCOW2Entry.offsetMask) >> UInt64(geometry.clusterBits)
            if !structures.insert(cluster).inserted { contested.insert(cluster) }
        }
        return table
    }

    /// Adds what keeps the snapshots, but for their L2 tables: those are too many to be read when an image is opened.
    mutating func examine(_ snapshots: QCOW2SnapshotTable) throws(BlockError) {
        try occupy(snapshots.offset, snapshots.length, "snapshot table")
        let all = snapshots.entries.reduce(UInt64(0)) { $0 + UInt64($1.l1Entries) * 8 }
        guard all <= QCOW2Limits.snapshotL1Bytes else {
            throw BlockError(
                .limitExceeded,
                "the snapshots' L1 tables are \(all) bytes long; \(QCOW2Limits.snapshotL1Bytes) are"
                    + " the most that can be opened for writing")
        }
        for entry in snapshots.entries {
            try QCOW2SnapshotTable.checkL1(entry, geometry, fileEnd: fileEnd)
            try occupy(entry.l1Offset, UInt64(entry.l1Entries) * 8, "L1 table of a snapshot")
        }
    }

    /// Adds structures without which the image is sound; false, and none of them is added, when one is not apart.
    mutating func occupyIfFree(_ parts: [(offset: UInt64, length: UInt64)]) -> Bool {
        var added: [UInt64] = []
        for part in parts where part.length > 0 {
            let first = part.offset >> UInt64(geometry.clusterBits)
            for cluster in first..<first + geometry.clusters(part.length) {
                if structures.insert(cluster).inserted {
                    added.append(cluster)
                    continue
                }
                for cluster in added { structures.remove(cluster) }
                return false
            }
        }
        return true
    }

    private mutating func occupy(_ offset: UInt64, _ length: UInt64, _ name: String) throws(BlockError) {
        guard length > 0 else { return }
        let first = offset >> UInt64(geometry.clusterBits)
        for cluster in first..<first + geometry.clusters(length) where !structures.insert(cluster).inserted {
            throw BlockError(
                .corrupt, "the \(name) overlaps another structure of the image; run qemu-img check -r all",
                offset: cluster << UInt64(geometry.clusterBits))
        }
    }
}
