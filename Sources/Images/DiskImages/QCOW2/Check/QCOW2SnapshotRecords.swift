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
    /// All that is there was read, and these are fewer than there should be: the rest of the table is empty, or parts of it.
    private(set) var isShort = false

    /// The table that `header` names, whose place is one. Of a number of entries that is too large, those that are there.
    init(_ header: QCOW2Header, storage: any ImageStorage, fileSize: UInt64) throws(BlockError) {
        try self.init(
            storage: storage, offset: header.snapshotsOffset,
            count: Int(min(header.snapshotCount, UInt32(QCOW2Limits.snapshots))), fileSize: fileSize,
            clusterSize: header.clusterSize, isDoubtful: header.snapshotCount > QCOW2Limits.snapshots)
    }

    /// An entry of zeroes is no snapshot: none is without an identifier, and nothing can be found by it. QEMU takes it for one
    /// without a name, and keeps it. Here the next entry is looked for behind the zeroes, to the end of their cluster: snapshots that
    /// are behind a part that was lost are not lost with it.
    /// - Parameter isDoubtful: nobody knows how many entries there are: the first thing that is none is behind the last. So
    ///   it is, as an error, behind an entry with too much extra data, whose length may be what is wrong, and behind zeroes.
    init(
        storage: any ImageStorage, offset: UInt64, count: Int, fileSize: UInt64, clusterSize: UInt64 = 512,
        isDoubtful: Bool = false
    ) throws(BlockError) {
        var isAfterDoubt = false
        /// Bytes up to what follows zeroes.
        var gap: UInt64 = 0
        for number in 0..<count {
            let start = offset + max(length, gap)
            guard start + 40 <= fileSize else {
                if !isDoubtful { problem = "entry \(number) of the snapshot table reaches past its end" }
                return
            }
            let fixed = try storage.array(at: start, count: 40)
            let data = BigEndianBytes(fixed)
            if !isDoubtful, fixed.allSatisfy({ $0 == 0 }) {
                isShort = true
                // The cluster is the table's when something of that lies in it before; what follows may be anything's, an earlier
                // table's, too.
                if start > offset, start % clusterSize == 0 { return }
                let end = min((start / clusterSize + 1) * clusterSize, fileSize)
                guard let next = try Self.firstWord(storage, from: start, to: end) else { return }
                isAfterDoubt = true
                gap = next - offset
                continue
            }
            let (extra, names) = (Int(data.u32(36)), Int(data.u16(12)) + Int(data.u16(14)))
            if isDoubtful || isAfterDoubt {
                guard data.u64(0) != 0, data.u64(0) % 512 == 0, data.u16(12) != 0 else {
                    if !isDoubtful { problem = "what entry \(number) of the snapshot table should be is none" }
                    return
                }
            }
            // Whatever may follow a table, tables of entries above all, is no snapshot by chance.
            if gap > 0 {
                let (place, bytes) = (data.u64(0), UInt64(data.u32(8)) * 8)
                guard place % clusterSize == 0, bytes > 0, bytes <= QCOW2Limits.l1Bytes, place < fileSize,
                    bytes <= fileSize - place, extra <= QCOW2Snapshot.mostExtra
                else {
                    problem = "what entry \(number) of the snapshot table should be is none"
                    return
                }
            }
            let total = UInt64(40 + extra + names)
            guard start + total <= fileSize, start - offset + total <= QCOW2Limits.snapshotTableBytes else {
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
            length = start - offset + (total + 7) & ~7
        }
    }

    /// Where the first word that is not zero lies.
    private static func firstWord(
        _ storage: any ImageStorage, from start: UInt64, to end: UInt64
    ) throws(BlockError) -> UInt64? {
        var position = start
        // A hostile table has many such places, each a few bytes long.
        var piece: UInt64 = 512
        while position + 8 <= end {
            let count = min(end - position, piece) & ~7
            let bytes = BigEndianBytes(try storage.array(at: position, count: Int(count)))
            for at in stride(from: 0, to: count, by: 8) where bytes.u64(Int(at)) != 0 { return position + at }
            position += count
            piece = min(piece * 2, 65536)
        }
        return nil
    }
}
