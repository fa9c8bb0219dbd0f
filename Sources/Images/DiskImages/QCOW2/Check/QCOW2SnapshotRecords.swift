internal import BlockIO
internal import CoreTypes

/// The entries of a snapshot table, as far as they can be read.
struct QCOW2SnapshotRecords {
    struct Record {
        var l1Offset: UInt64
        var l1Entries: UInt64
        /// Bytes of extra data in `bytes`: those of the entry, or the first 1024.
        var extraSize: Int
        /// Bytes of extra data that the entry has.
        var storedExtra: Int
        /// Bytes of the whole entry without padding, and without extra data that is too much.
        var bytes: [UInt8]
    }

    private(set) var records: [Record] = []
    /// Bytes that the entries occupy.
    private(set) var length: UInt64 = 0
    /// Why not all of them could be read.
    private(set) var problem: String?

    /// The table that `header` names, whose place is one. Of a number of entries that is too large, those that are there.
    init(_ header: QCOW2Header, storage: any ImageStorage, fileSize: UInt64) throws(BlockError) {
        try self.init(
            storage: storage, offset: header.snapshotsOffset,
            count: Int(min(header.snapshotCount, UInt32(QCOW2Limits.snapshots))), fileSize: fileSize,
            isDoubtful: header.snapshotCount > QCOW2Limits.snapshots)
    }

    /// - Parameter isDoubtful: nobody knows how many entries there are: the first thing that is none is behind the last. So
    ///   it is, as an error, behind an entry with too much extra data: its length may be what is wrong.
    init(
        storage: any ImageStorage, offset: UInt64, count: Int, fileSize: UInt64, isDoubtful: Bool = false
    ) throws(BlockError) {
        var isAfterDoubt = false
        for number in 0..<count {
            let start = offset + length
            guard start + 40 <= fileSize else {
                if !isDoubtful { problem = "entry \(number) of the snapshot table reaches past its end" }
                return
            }
            let fixed = try storage.array(at: start, count: 40)
            let data = BigEndianBytes(fixed)
            let (extra, names) = (Int(data.u32(36)), Int(data.u16(12)) + Int(data.u16(14)))
            if isDoubtful || isAfterDoubt {
                guard data.u64(0) != 0, data.u64(0) % 512 == 0, data.u16(12) != 0 else {
                    if !isDoubtful { problem = "what entry \(number) of the snapshot table should be is none" }
                    return
                }
            }
            let total = UInt64(40 + extra + names)
            guard start + total <= fileSize, length + total <= QCOW2Limits.snapshotTableBytes else {
                if !isDoubtful { problem = "entry \(number) of the snapshot table reaches past its end" }
                return
            }
            let kept = min(extra, QCOW2Snapshot.mostExtra)
            isAfterDoubt = isAfterDoubt || kept < extra
            var bytes = try storage.array(at: start, count: 40 + kept)
            bytes += try storage.array(at: start + 40 + UInt64(extra), count: names)
            records.append(
                Record(
                    l1Offset: data.u64(0), l1Entries: UInt64(data.u32(8)), extraSize: kept, storedExtra: extra,
                    bytes: bytes))
            length += (total + 7) & ~7
        }
    }
}
